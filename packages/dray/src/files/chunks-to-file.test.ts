import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { chunksToFile } from "./chunks-to-file.ts";
import { nodeFiles } from "./file-system.ts";

async function* of(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test("a stream becomes a file at its end, and not before", async () => {
  const dir = temporaryFolder("chunks");
  const file = join(dir, "a");
  assert.equal(await chunksToFile(nodeFiles, file, of("one", "two")), 6);
  assert.equal(await readFile(file, "utf8"), "onetwo");
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* of("half");
    throw new Error("cut");
  }
  await assert.rejects(chunksToFile(nodeFiles, file, broken()), /cut/);
  assert.equal(await readFile(file, "utf8"), "onetwo");
  assert.deepEqual(await readdir(dir), ["a"]);
});

test("a link to a file stays one; a directory is refused, and so is what lies below nothing", async () => {
  const dir = temporaryFolder("chunks");
  await writeFile(join(dir, "real"), "old");
  await symlink("real", join(dir, "link"));
  await mkdir(join(dir, "folder"));
  await chunksToFile(nodeFiles, join(dir, "link"), of("new"));
  assert.equal(await readFile(join(dir, "real"), "utf8"), "new");
  for (const path of ["folder", "none/a"])
    await assert.rejects(chunksToFile(nodeFiles, join(dir, path), of("x")), (error: unknown) =>
      isDrayError(error, "DISK"),
    );
  assert.deepEqual((await readdir(dir)).sort(), ["folder", "link", "real"]);
});

test("what a device takes goes there as it comes", async () => {
  assert.equal(await chunksToFile(nodeFiles, "/dev/null", of("one", "two")), 6);
});
