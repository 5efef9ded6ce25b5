import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DrayError, isDrayError } from "../errors.ts";
import { diskError, errnoOf, onDisk } from "./index.ts";

const system = (code: string): Error => Object.assign(new Error(`${code}: something, open '/a'`), { code });

describe("an error of the file system", () => {
  const cases: readonly [code: string, says: RegExp][] = [
    ["ENOSPC", /cannot write \/data\/x: the disk is full; free some space and run it again \(ENOSPC\)$/],
    ["EDQUOT", /quota is used up; free some space/],
    ["EROFS", /read-only; choose another directory/],
    ["EACCES", /permission denied; check its owner and mode/],
    ["EPERM", /not permit/],
    ["EMFILE", /too many files are open in this process; raise the limit .* fewer jobs/],
    ["ENFILE", /too many files are open on this machine/],
    ["EIO", /disk reports an error; check the disk/],
    ["ENOTDIR", /no directory/],
    ["EISDIR", /it is a directory/],
    ["ENAMETOOLONG", /too long/],
    ["ELOOP", /loop of symbolic links/],
    ["EOTHER", /EOTHER: something/],
  ];
  for (const [code, says] of cases)
    it(`${code} becomes DISK with path, reason and remedy`, () => {
      const error = diskError(system(code), "write", "/data/x");
      assert.ok(isDrayError(error, "DISK"));
      assert.match(error.message, says);
      assert.equal(errnoOf(error.cause), code);
    });

  it("is left alone when it is none of the system's", () => {
    const others = [
      new Error("bug"),
      new DrayError("DIGEST_MISMATCH", "wrong"),
      "text",
      Object.assign(new Error("x"), { code: "ERR_INVALID_ARG_TYPE" }),
    ];
    for (const other of others) assert.equal(diskError(other, "write", "/x"), other);
  });

  it("is turned where the work is done, and results pass", async () => {
    await assert.rejects(
      onDisk("read", "/x", () => Promise.reject(system("EIO"))),
      (error) => isDrayError(error, "DISK"),
    );
    assert.equal(await onDisk("read", "/x", async () => 7), 7);
  });

  it("escapes what a path can hold", () => {
    const error = diskError(system("EIO"), "read", "/a\u001b[31m\n") as Error;
    assert.ok(!/[\u001b\n]/.test(error.message));
  });
});
