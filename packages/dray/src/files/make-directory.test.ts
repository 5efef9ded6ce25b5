import assert from "node:assert/strict";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { errnoOf, makeDirectory } from "./index.ts";

test("a directory is made with what is missing above it, and the first that was made is told", async () => {
  const dir = temporaryFolder("make-directory");
  const deep = join(dir, "a", "b", "c");
  assert.equal(await makeDirectory(deep, 0o700), join(dir, "a"));
  assert.equal((await stat(deep)).mode & 0o777, 0o700);
  assert.equal(await makeDirectory(deep), undefined);
  assert.equal(await makeDirectory(join(dir, "a", "d")), join(dir, "a", "d"));
  const many = await Promise.all(Array.from({ length: 20 }, (_, i) => makeDirectory(join(dir, "x", "y", `${i}`))));
  assert.ok(many.every((first) => first !== undefined));
  assert.equal((await readdir(join(dir, "x", "y"))).length, 20);
});

test("what cannot be made fails at once, with the system's reason", async () => {
  const dir = temporaryFolder("make-directory");
  await writeFile(join(dir, "file"), "");
  const rows: readonly [path: string, codes: readonly string[]][] = [
    [join(dir, "file"), ["EEXIST"]],
    [join(dir, "file", "x", "y"), ["ENOTDIR"]],
    ["/proc/nowhere/x", ["ENOENT", "EACCES", "EROFS", "EPERM"]],
  ];
  for (const [path, codes] of rows)
    await assert.rejects(makeDirectory(path), (error) => codes.includes(errnoOf(error) ?? ""), path);
});
