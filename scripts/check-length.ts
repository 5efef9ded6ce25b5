/**
 * `npm run check:length`: names the sources past 400 lines, and those with more than 12 public names: both usually hide a second
 * concept. A warning, never a failure.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isTest } from "./imports.ts";
import { publicNames } from "./public-names.ts";
import { root } from "./runtimes.ts";
import { trackedFiles } from "./tracked.ts";

const largest = 400;
const mostNames = 12;

const sources = trackedFiles()
  .filter((file) => file.endsWith(".ts") && !isTest(file))
  .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
const long = sources
  .map(({ file, text }) => ({ file, lines: text.split("\n").length - 1 }))
  .filter(({ lines }) => lines > largest)
  .sort((a, b) => b.lines - a.lines);
for (const { file, lines } of long) console.log(`warning: ${file} has ${lines} lines; find its second concept`);
const crowded = sources
  .map(({ file, text }) => ({ file, names: publicNames(text) }))
  .filter(({ names }) => names.length > mostNames)
  .sort((a, b) => b.names.length - a.names.length);
for (const { file, names } of crowded)
  console.log(`warning: ${file} has ${names.length} public names: ${names.join(", ")}`);
console.log(`${long.length} files past ${largest} lines, ${crowded.length} with more than ${mostNames} public names`);
