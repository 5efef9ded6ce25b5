import assert from "node:assert/strict";
import { test } from "node:test";
import { each } from "./pages.ts";

const pages = async function* (log: string[]): AsyncGenerator<number[]> {
  try {
    for (const page of [[], [1, 2], [], [3]]) {
      log.push(`page ${page.length}`);
      yield page;
    }
  } finally {
    log.push("closed");
  }
};

test("the items of all pages, empty ones passed over", async () => {
  assert.deepEqual(await Array.fromAsync(each(pages([]))), [1, 2, 3]);
});

test("a page is asked for when the one before is used up", async () => {
  const log: string[] = [];
  const items = each(pages(log));
  assert.deepEqual([(await items.next()).value, (await items.next()).value], [1, 2]);
  assert.deepEqual(log, ["page 0", "page 2"]);
});

test("an early end closes the pages, and nothing comes after", async () => {
  const log: string[] = [];
  const items = each(pages(log));
  for await (const _ of items) break;
  assert.equal(log.at(-1), "closed");
  assert.equal((await items.next()).done, true);
});

test("an error of a page is the reader's", async () => {
  const failing = async function* (): AsyncGenerator<number[]> {
    yield [1];
    throw new Error("page");
  };
  const items = each(failing());
  await items.next();
  await assert.rejects(items.next(), /page/);
});
