import assert from "node:assert/strict";
import { test } from "node:test";
import { exportsOf, firstSentence, publicNames } from "./public-names.ts";

test("public names are those that a file declares, not those that it passes on", () => {
  const source = [
    "export const one = 1;",
    "export interface Two {}",
    "export type Three = 3;",
    "export class Four {}",
    "export async function five() {}",
    "export abstract class Six {}",
    "const seven = 7;",
    "export { seven };",
    "export type { Eight } from './eight.ts';",
    "export * from './nine.ts';",
    "  export const inside = 'a text';",
  ].join("\n");
  assert.deepEqual(publicNames(source), ["one", "Two", "Three", "Four", "five", "Six", "seven"]);
});

test("what a file exports is followed through whatever it passes on, with what its comments say", () => {
  const files: Record<string, string> = {
    "a/index.ts": 'export * from "./one.ts";\nexport { two as second, type Three } from "../b/two.ts";\n',
    "a/one.ts": "/** The first. More of it. */\nexport const one = 1;\nconst hidden = 2;\nexport interface Bare {}\n",
    "b/two.ts":
      "/**\n * The second of\n * two: never more.\n * @throws nothing\n */\nexport const two = 2;\n\n/** The third */\nexport type Three = 3;\n",
  };
  const found = [...exportsOf("a/index.ts", (file) => files[file] ?? "").values()];
  assert.deepEqual(
    found.map(({ name, file, doc }) => [name, file, firstSentence(doc)]),
    [
      ["one", "a/one.ts", "The first."],
      ["Bare", "a/one.ts", ""],
      ["second", "b/two.ts", "The second of two: never more."],
      ["Three", "b/two.ts", "The third"],
    ],
  );
});
