import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { branches } from "./commands/index.ts";
import { fitted } from "./fitted.ts";
import { run } from "./run.ts";

const helpOf = async (words: readonly string[], columns: number): Promise<string> => {
  const stdout = Object.assign(new PassThrough(), { columns, isTTY: true });
  const stderr = new PassThrough();
  assert.equal(await run([...words, "--help"], { stdin: () => Readable.from([]), stdout, stderr, env: {} }), 0);
  return text(stdout.end());
};

const paths: readonly (readonly string[])[] = [
  [],
  ...branches.flatMap(({ name, branches: below = [] }) => [[name], ...below.map((each) => [name, each.name])]),
];

test("help breaks no word at the edge of a terminal", async () => {
  for (const columns of [40, 80, 200])
    for (const path of paths) {
      const help = await helpOf(path, columns);
      const [prose = "", examples = ""] = help.split(/\nExamples?:\n/);
      // Words that are longer than the line stay whole, and so do examples, of which our own fit 80 columns.
      const wide = prose.split("\n").filter((line) => line.length > columns && line.trim().includes(" "));
      assert.deepEqual(wide, [], `dray ${path.join(" ")} at ${columns}`);
      if (columns < 80) continue;
      assert.deepEqual(
        examples.split("\n").filter((line) => line.startsWith("  dray ") && line.length > columns),
        [],
        path.join(" "),
      );
    }
});

test("what fits stays as it is, and what is broken says the same", async () => {
  for (const path of [[], ["copy"], ["serve", "verify"]]) {
    const wide = await helpOf(path, 1000);
    assert.equal(fitted(wide, 1000), wide);
    const words = (help: string): string[] => help.split(/\s+/);
    assert.deepEqual(words(await helpOf(path, 40)), words(wide));
  }
});

test("a meaning stands beside its term where there is room, else below it", () => {
  const line = "  --name <value>  what it is, and what it is for";
  assert.equal(fitted(line, 45), "  --name <value>  what it is, and what it is\n                  for");
  assert.equal(fitted(line, 40), "  --name <value>\n      what it is, and what it is for");
});
