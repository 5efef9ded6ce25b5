import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { digestOf } from "dray/oci";
import { patterned } from "../../../test/uploads-by-hand.ts";
import { type BlockingFiles, HashedFile } from "./hashed-file.ts";

describe("a file that is hashed as it grows", () => {
  let folder = "";
  let files = 0;
  before(() => {
    folder = temporaryFolder("hashed");
  });
  const path = (): string => join(folder, `file-${++files}`);
  const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code });
  const hasCode =
    (code: string) =>
    (error: unknown): boolean =>
      (error as NodeJS.ErrnoException).code === code;

  test("writes on after short writes", async () => {
    const at = path();
    const stingy: BlockingFiles = {
      ...fs,
      writeSync: (file, bytes, offset, length, position) =>
        fs.writeSync(file, bytes, offset, Math.min(length, 1000), position),
    };
    const file = await HashedFile.open(stingy, at, "sha256", { size: undefined });
    await file.write(patterned(200_000));
    assert.equal(await file.digest("sha256"), digestOf(patterned(200_000)));
    await file.close();
    assert.equal(Buffer.compare(fs.readFileSync(at), patterned(200_000)), 0);
  });

  test("a file that takes nothing is a full disk", async () => {
    const file = await HashedFile.open({ ...fs, writeSync: () => 0 }, path(), "sha256", { size: undefined });
    await assert.rejects(file.write(patterned(1)), hasCode("ENOSPC"));
    await file.close();
  });

  for (const code of ["ENOSPC", "EIO"])
    test(`after ${code} it writes nothing until it is cut, then behind what counts`, async () => {
      const at = path();
      let left = 300_000;
      const full: BlockingFiles = {
        ...fs,
        writeSync: (file, bytes, offset, length, position) => {
          const written = Math.min(length, left);
          if (written === 0) throw failure(code);
          left -= written;
          return fs.writeSync(file, bytes, offset, written, position);
        },
      };
      const file = await HashedFile.open(full, at, "sha256", { size: undefined });
      await file.write(patterned(200_000));
      await assert.rejects(file.write(patterned(200_000, 2)), hasCode(code));
      assert.equal(file.size, 200_000);
      left = 1_000_000;
      await assert.rejects(file.write(patterned(1)), hasCode(code));
      await assert.rejects(file.digest("sha256"), hasCode(code));
      file.cut(200_000);
      assert.equal(fs.statSync(at).size, 200_000);
      await file.write(patterned(200_000, 3));
      const whole = Buffer.concat([patterned(200_000), patterned(200_000, 3)]);
      assert.equal(await file.digest("sha256"), digestOf(whole));
      await file.close();
      assert.equal(Buffer.compare(fs.readFileSync(at), whole), 0);
    });

  test("a cut that fails is tried again", async () => {
    let broken = true;
    const files: BlockingFiles = {
      ...fs,
      ftruncateSync: (file, length) => {
        if (broken) throw failure("EIO");
        fs.ftruncateSync(file, length);
      },
    };
    const file = await HashedFile.open(files, path(), "sha256", { size: undefined });
    await file.write(patterned(1000));
    assert.throws(() => file.cut(500), hasCode("EIO"));
    await assert.rejects(file.write(patterned(1)));
    broken = false;
    file.cut(500);
    assert.equal(await file.digest("sha256"), digestOf(patterned(1000).subarray(0, 500)));
    await file.close();
  });

  test("opened again it counts what is there, or as much as it is told", async () => {
    const at = path();
    fs.writeFileSync(at, patterned(3_000_000));
    const all = await HashedFile.open(fs, at, "sha512", { size: undefined });
    assert.equal(all.size, 3_000_000);
    assert.equal(await all.digest("sha512"), digestOf(patterned(3_000_000), "sha512"));
    await all.close();
    const part = await HashedFile.open(fs, at, "sha256", { size: 1_000_000 });
    assert.equal(fs.statSync(at).size, 1_000_000);
    assert.equal(await part.digest("sha256"), digestOf(patterned(3_000_000).subarray(0, 1_000_000)));
    await part.close();
    await assert.rejects(HashedFile.open(fs, at, "sha256", { size: 1_000_001 }), /somebody else cut it/);
  });

  const mebibyte = 1024 * 1024;

  test("one that is to last is synced while it grows, once at a time, and not closed before that is over", async () => {
    const events: string[] = [];
    const waiting: ((error: Error | null) => void)[] = [];
    const slow: BlockingFiles = {
      ...fs,
      fdatasync: (_, done) => {
        events.push("sync");
        waiting.push(done);
      },
      closeSync: (file) => {
        events.push("close");
        fs.closeSync(file);
      },
    };
    const file = await HashedFile.open(slow, path(), "sha256", { size: 0, lasting: true });
    for (let i = 0; i < 15; i++) await file.write(patterned(mebibyte));
    assert.deepEqual(events, []);
    for (let i = 15; i < 40; i++) await file.write(patterned(mebibyte));
    assert.deepEqual(events, ["sync"]);
    waiting.shift()?.(null);
    await file.write(patterned(mebibyte));
    assert.deepEqual(events, ["sync", "sync"]);
    const closed = file.close();
    await new Promise(setImmediate);
    assert.deepEqual(events, ["sync", "sync"]);
    waiting.shift()?.(null);
    await closed;
    assert.deepEqual(events, ["sync", "sync", "close"]);
    const passing = await HashedFile.open(slow, path(), "sha256", { size: 0 });
    for (let i = 0; i < 17; i++) await passing.write(patterned(mebibyte));
    await passing.close();
    assert.deepEqual(events, ["sync", "sync", "close", "close"]);
  });

  test("a sync that fails on the way is final, and leaves nothing to go on with", async () => {
    const at = path();
    let fail: ((error: Error | null) => void) | undefined;
    const files: BlockingFiles = { ...fs, fdatasync: (_, done) => void (fail = done) };
    const file = await HashedFile.open(files, at, "sha256", { size: 0, lasting: true });
    for (let i = 0; i < 16; i++) await file.write(patterned(mebibyte));
    fail?.(failure("EIO"));
    await assert.rejects(file.write(patterned(1)), hasCode("EIO"));
    assert.throws(() => file.cut(0), hasCode("EIO"));
    await assert.rejects(file.digest("sha256"), hasCode("EIO"));
    assert.equal(fs.statSync(at).size, 0);
    await assert.rejects(file.close(), hasCode("EIO"));
    const late = await HashedFile.open(files, at, "sha256", { size: 0, lasting: true });
    for (let i = 0; i < 16; i++) await late.write(patterned(mebibyte));
    const closed = late.close();
    fail?.(failure("EIO"));
    await assert.rejects(closed, hasCode("EIO"));
    assert.equal(fs.statSync(at).size, 0);
  });

  test("whatever fails while it is opened, no file stays open", async () => {
    const at = path();
    for (const call of ["fstatSync", "readSync", "ftruncateSync"] as const) {
      fs.writeFileSync(at, patterned(1000));
      let open = 0;
      const files: BlockingFiles = {
        ...fs,
        openSync: (name, flags) => (open++, fs.openSync(name, flags)),
        closeSync: (file) => (open--, fs.closeSync(file)),
        [call]: () => {
          throw failure("EIO");
        },
      };
      await assert.rejects(HashedFile.open(files, at, "sha256", { size: 500 }), hasCode("EIO"));
      assert.equal(open, 0, call);
    }
  });
});
