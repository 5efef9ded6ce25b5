import assert from "node:assert/strict";
import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { nodeFiles, writeFileAtomic } from "./index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("replacing a file at once", () => {
  let dir = "";
  before(() => {
    dir = temporaryFolder("atomic");
  });
  it("makes and replaces it, and leaves nothing else", async () => {
    const path = join(dir, "plain");
    await writeFileAtomic(nodeFiles, path, bytes("one"));
    await writeFileAtomic(nodeFiles, path, bytes("two"), { mode: 0o600 });
    assert.equal(await readFile(path, "utf8"), "two");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(dir), ["plain"]);
  });

  it("follows a symbolic link and leaves it a link", async () => {
    await writeFile(join(dir, "behind"), "old");
    await symlink("behind", join(dir, "link"));
    await writeFileAtomic(nodeFiles, join(dir, "link"), bytes("new"));
    assert.equal(await readFile(join(dir, "behind"), "utf8"), "new");
    assert.ok((await nodeFiles.lstat(join(dir, "link"))).isSymbolicLink());
  });

  it("whatever call fails: the old content or the new, and the error names the file", async () => {
    const path = join(dir, "faults");
    let calls = 0;
    await writeFileAtomic(
      faultyFiles(nodeFiles, ({ count }) => void (calls = count)),
      path,
      bytes("old"),
    );
    assert.ok(calls >= 6, `${calls} calls`);
    for (let at = 1; at <= calls; at++)
      for (const code of ["EIO", "ENOSPC"]) {
        await writeFileAtomic(nodeFiles, path, bytes("old"));
        const faulty = faultyFiles(nodeFiles, ({ count }) => (count === at ? code : undefined));
        await assert.rejects(
          writeFileAtomic(faulty, path, bytes("new")),
          (error) => isDrayError(error, "DISK") && error.message.includes(path),
        );
        assert.match(await readFile(path, "utf8"), /^(old|new)$/);
        assert.deepEqual(
          (await readdir(dir)).filter((name) => name.endsWith(".tmp")),
          [],
        );
        await writeFileAtomic(nodeFiles, path, bytes("again"));
        assert.equal(await readFile(path, "utf8"), "again");
      }
  });
});
