/** `npm run check:length`: names the sources past 300 lines, which usually hide a second concept. A warning, never a failure. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./runtimes.ts";
import { trackedFiles } from "./tracked.ts";

const limit = 300;

const long = trackedFiles()
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => ({ file, lines: readFileSync(join(root, file), "utf8").split("\n").length - 1 }))
  .filter(({ lines }) => lines > limit)
  .sort((a, b) => b.lines - a.lines);
for (const { file, lines } of long) console.log(`warning: ${file} has ${lines} lines; find its second concept`);
console.log(`${long.length} files past ${limit} lines`);
