import assert from "node:assert/strict";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { imageOf } from "../../../test/layered-image.ts";
import { isDrayError } from "../../errors.ts";
import { extract } from "./index.ts";

test("one directory of an image is extracted as a tree of its own, hard links that lead out of it as files", async () => {
  const image = await imageOf(
    [
      { name: "a", body: "one" },
      { name: "usr/bin/b", type: "hardlink", linkName: "a" },
      { name: "usr/bin/c", type: "hardlink", linkName: "usr/bin/b" },
      { name: "usr/binary", body: "no" },
      { name: "usr/bin/gone", body: "x" },
      { name: "bin", type: "symlink", linkName: "usr/bin" },
    ],
    [
      { name: "usr/bin/", type: "directory", mode: 0o711, mtime: 1000 },
      { name: "usr/bin/d/e", body: "deep" },
      { name: "usr/bin/l", type: "symlink", linkName: "../../a" },
      { name: "usr/bin/.wh.gone" },
      { name: "a", body: "two" },
    ],
  );
  for (const path of ["/usr/bin", "bin/", "usr/../usr/bin"]) {
    const directory = join(temporaryFolder("subtree"), "made");
    const { files, symlinks } = await extract(image, directory, { path, owners: false });
    assert.deepEqual((await readdir(directory, { recursive: true })).sort(), ["b", "c", "d", "d/e", "l"]);
    const texts = await Promise.all(["b", "c", "d/e"].map((name) => readFile(join(directory, name), "utf8")));
    assert.deepEqual(texts, ["one", "one", "deep"]);
    assert.equal(await readlink(join(directory, "l")), "../../a");
    assert.ok(files >= 2 && symlinks === 1);
    const facts = await stat(directory);
    assert.deepEqual([facts.mode & 0o777, facts.mtimeMs], [0o711, 1_000_000]);
  }
  const whole = join(temporaryFolder("subtree"), "whole");
  await extract(image, whole, { path: "/", owners: false });
  assert.deepEqual((await readdir(whole)).sort(), ["a", "bin", "usr"]);
  for (const [path, code] of [
    ["a", "USAGE"],
    ["none", "NOT_FOUND"],
  ] as const) {
    const left = temporaryFolder("subtree");
    await assert.rejects(extract(image, join(left, "x"), { path }), (error) => isDrayError(error, code));
    assert.deepEqual(await readdir(left), []);
  }
});
