import assert from "node:assert/strict";
import { test } from "node:test";
import { DrayError } from "dray/errors";
import { digestOf, hexOf } from "dray/oci";
import { memoryDriver } from "../storage/index.ts";
import { DamageMarks } from "./damage-marks.ts";

test("marks that cannot be read once are read the next time, and that is told once", async () => {
  const driver = memoryDriver();
  const digest = digestOf(new Uint8Array(1));
  await new DamageMarks(driver, () => {}).set(digest, { size: 1, mtime: 2, ino: 3 });
  let failing = true;
  const list = driver.list.bind(driver);
  Object.assign(driver, {
    list: (path: string) => (failing ? Promise.reject(new DrayError("DISK", "cannot list it (EIO)")) : list(path)),
  });
  const notices: string[] = [];
  const marks = new DamageMarks(driver, ({ level, message }) => notices.push(`${level} ${message}`));
  for (let i = 0; i < 3; i++) assert.equal((await marks.load()).get(digest), undefined);
  assert.deepEqual(
    [notices, marks.known],
    [["error marks of damaged blobs cannot be read: cannot list it (EIO)"], undefined],
  );
  failing = false;
  assert.deepEqual((await marks.load()).get(digest), { size: 1, mtime: 2, ino: 3 });
  assert.notEqual(driver.getSync(`dray/damaged/sha256/${hexOf(digest)}`), undefined);
});
