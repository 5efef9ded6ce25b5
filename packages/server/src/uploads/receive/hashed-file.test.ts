import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { digestOf } from "dray/oci";
import { patterned } from "../by-hand.ts";
import { type BlockingFiles, HashedFile } from "./hashed-file.ts";

describe("a file that is hashed as it grows", () => {
  let folder = "";
  let files = 0;
  before(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "dray-hashed-"));
  });
  after(() => fs.rmSync(folder, { recursive: true }));
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
    const file = await HashedFile.open(stingy, at, "sha256", undefined);
    await file.write(patterned(200_000));
    assert.equal(await file.digest("sha256"), digestOf(patterned(200_000)));
    file.close();
    assert.equal(Buffer.compare(fs.readFileSync(at), patterned(200_000)), 0);
  });

  test("a file that takes nothing is a full disk", async () => {
    const file = await HashedFile.open({ ...fs, writeSync: () => 0 }, path(), "sha256", undefined);
    await assert.rejects(file.write(patterned(1)), hasCode("ENOSPC"));
    file.close();
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
      const file = await HashedFile.open(full, at, "sha256", undefined);
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
      file.close();
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
    const file = await HashedFile.open(files, path(), "sha256", undefined);
    await file.write(patterned(1000));
    assert.throws(() => file.cut(500), hasCode("EIO"));
    await assert.rejects(file.write(patterned(1)));
    broken = false;
    file.cut(500);
    assert.equal(await file.digest("sha256"), digestOf(patterned(1000).subarray(0, 500)));
    file.close();
  });

  test("opened again it counts what is there, or as much as it is told", async () => {
    const at = path();
    fs.writeFileSync(at, patterned(3_000_000));
    const all = await HashedFile.open(fs, at, "sha512", undefined);
    assert.equal(all.size, 3_000_000);
    assert.equal(await all.digest("sha512"), digestOf(patterned(3_000_000), "sha512"));
    all.close();
    const part = await HashedFile.open(fs, at, "sha256", 1_000_000);
    assert.equal(fs.statSync(at).size, 1_000_000);
    assert.equal(await part.digest("sha256"), digestOf(patterned(3_000_000).subarray(0, 1_000_000)));
    part.close();
    await assert.rejects(HashedFile.open(fs, at, "sha256", 1_000_001), /somebody else cut it/);
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
      await assert.rejects(HashedFile.open(files, at, "sha256", 500), hasCode("EIO"));
      assert.equal(open, 0, call);
    }
  });
});
