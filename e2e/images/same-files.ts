import assert from "node:assert/strict";
import { lstat, readFile } from "node:fs/promises";
import { collect } from "dray/content";
import { type Image, imageFiles, walk } from "dray/image";

/** Compares files of an image with a tree on this machine, bytes and modes, and counts those that have bytes. */
export const sameFiles = async (image: Image, path: string, thereOf: (path: string) => string): Promise<number> => {
  const files = await imageFiles(image);
  let count = 0;
  for await (const { path: name, type, mode } of walk(image, path)) {
    const there = thereOf(name);
    assert.equal(mode, (await lstat(there)).mode & 0o7777, name);
    if (type !== "file" && type !== "hardlink") continue;
    count++;
    const bytes = await collect(await files.open(name), 1e7, name);
    assert.ok(Buffer.from(bytes).equals(await readFile(there)), name);
  }
  return count;
};
