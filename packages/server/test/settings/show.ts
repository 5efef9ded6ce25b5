/** `npm run settings`: which test shows that a key acts, for every key of the configuration. */
import { variableOf } from "@dray/service/config";
import { table } from "../../src/config/keys/index.ts";
import { cases } from "./cases/index.ts";

const words = {
  needless: "is taken without a word",
  ignored: "has no effect, and a warning says so",
  refused: "is refused, by name",
} as const;

const rows = table.keys.map(({ path, status, reloadable }) => {
  const flags = (table.flags ?? []).filter(({ key }) => key === path).flatMap(({ name, variable }) => [name, variable]);
  const names = [variableOf(table, path), ...flags].join(", ");
  if (status !== "supported") return [path, names, words[status], "", ""];
  const one = cases.find(({ key }) => key === path);
  if (one === undefined) return [path, names, "NO TEST", "", ""];
  const values = one.values.map((value) => value ?? "(not said)").join(" | ");
  const seen = one.sees.map((each) => JSON.stringify(each)).join(" | ");
  return [
    path,
    names,
    one.looksAt,
    `${values} -> ${seen}`,
    reloadable ? "reload: applies" : "reload: waits, and is named",
  ];
});
console.log("Each is said in the file, by its variable and by --set; its flags are tried too. A row for each key:\n");
for (const [key, names, ...facts] of rows)
  console.log(`${key}\n    ${names}\n    ${facts.filter((each) => each !== "").join("\n    ")}`);
const untested = rows.filter(([, , looksAt]) => looksAt === "NO TEST").length;
console.log(`\n${rows.length} keys, ${untested} without a test`);
process.exitCode = untested === 0 ? 0 : 1;
