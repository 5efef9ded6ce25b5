import assert from "node:assert/strict";
import { test } from "node:test";
import { publicNames } from "./public-names.ts";

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
