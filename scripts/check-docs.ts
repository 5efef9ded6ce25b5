/**
 * `npm run check:docs`: every public name of the library has a comment that says what it is. `-- --list` prints the names that `dray`
 * itself exports, each with its first sentence.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exportsOf, firstSentence } from "./public-names.ts";
import { root } from "./runtimes.ts";

const library = "packages/dray";
const { exports } = JSON.parse(readFileSync(join(root, library, "package.json"), "utf8")) as {
  exports: Record<string, string>;
};
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const paths = Object.entries(exports).filter(([path]) => !path.startsWith("./internal/"));
const names = paths.map(([path, source]) => ({ path, names: [...exportsOf(join(library, source), read).values()] }));

if (process.argv.includes("--list"))
  for (const { name, doc } of (names.find(({ path }) => path === ".")?.names ?? []).sort((a, b) =>
    a.name.localeCompare(b.name),
  ))
    console.log(`${name.padEnd(20)} ${firstSentence(doc)}`);

const bare = new Set(
  names.flatMap((each) => each.names).flatMap(({ name, file, doc }) => (doc === "" ? [`${file}: ${name}`] : [])),
);
for (const each of [...bare].sort()) console.error(`${each} has no comment that says what it is`);
if (bare.size > 0) process.exitCode = 1;
console.log(
  names.map((each) => `${each.path.replace(/^\.\/?/, "dray/").replace(/\/$/, "")}: ${each.names.length}`).join(", "),
);
