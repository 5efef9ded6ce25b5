import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Overflow } from "./overflow.ts";

const folder = await mkdtemp(join(tmpdir(), "dray-overflow-"));
after(() => rm(folder, { recursive: true, force: true }));

const of = (value: number, size: number): Uint8Array => new Uint8Array(size).fill(value);

test("what is put away comes back as it was, whatever was taken, freed and put in its place meanwhile, and has no name", async () => {
  const overflow = new Overflow(() => folder);
  const [first, second] = [overflow.put(of(1, 1500)), overflow.put(of(3, 100_000))];
  assert.deepEqual(await readdir(folder), []);
  first?.free();
  first?.free();
  const third = overflow.put(of(4, 20));
  const reading = second?.take();
  // A place from which somebody reads is nobody else's.
  second?.free();
  const fourth = overflow.put(of(5, 100_000));
  assert.deepEqual(await reading, of(3, 100_000));
  assert.deepEqual(await fourth?.take(), of(5, 100_000));
  assert.deepEqual(await third?.take(), of(4, 20));
  const again = overflow.put(of(6, 1000));
  assert.equal(again?.append(of(7, 1000)), true);
  assert.equal(again?.append(of(8, 512 * 1024 - 1999)), false);
  assert.deepEqual(await again?.take(), Uint8Array.of(...of(6, 1000), ...of(7, 1000)));
  assert.deepEqual(await readdir(folder), []);
});

test("what finds no folder, or is more than a place takes, stays in memory", () => {
  let where: string | undefined;
  const overflow = new Overflow(() => where);
  assert.equal(overflow.put(of(1, 10)), undefined);
  where = join(folder, "nowhere");
  assert.equal(overflow.put(of(1, 10)), undefined);
  where = folder;
  assert.equal(overflow.put(of(1, 512 * 1024 + 1)), undefined);
  const put = overflow.put(of(1, 512 * 1024));
  assert.notEqual(put, undefined);
  put?.free();
});
