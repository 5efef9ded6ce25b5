import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { put, sampleImage } from "@dray/testkit";
import { commands } from "../../test/commands.ts";

const image = sampleImage({ seed: "layout-gc" });

const { registry, host, home, at, done, refused } = await commands("layout-gc");
const layout = at("layout");

describe("layout gc", () => {
  before(async () => {
    put(registry, "app", "1", image);
    await done("cp", `${host}/app:1`, `oci:${layout}:1`);
    // What an image was before it changed is what nothing leads to any more.
    await done("mutate", "-u", "5", `oci:${layout}:1`);
  });

  test("a dry run lists on stdout, the other one names on stderr; then there is nothing left to do", async () => {
    const gone = [image.root.digest, image.config.digest].sort();
    const dry = await done("layout", "gc", "--dry-run", layout);
    assert.deepEqual(dry.stdout.trim().split("\n").sort(), gone);
    assert.match(dry.stderr, /^would remove 2 blobs of .*layout, .*; 4 blobs left\n$/);
    const json = await done("layout", "gc", "--dry-run", "-o", "json", `oci:${layout}`);
    const told = JSON.parse(json.stdout) as {
      removed: { digest: string; size: number }[];
      kept: number;
      dryRun: boolean;
    };
    assert.deepEqual([told.removed.map(({ digest }) => digest).sort(), told.kept, told.dryRun], [gone, 4, true]);
    assert.equal((await readdir(join(layout, "blobs/sha256"))).length, 6);
    const { stdout, stderr } = await done("layout", "gc", layout);
    assert.equal(stdout, "");
    for (const digest of gone) assert.match(stderr, new RegExp(`^removed ${digest}$`, "m"));
    assert.equal((await readdir(join(layout, "blobs/sha256"))).length, 4);
    await done("validate", `oci:${layout}:1`);
    assert.match((await done("layout", "gc", layout)).stderr, /^removed 0 blobs of/);
    assert.match((await done("layout", "gc", "-o", "json", layout)).stdout, /"removed":\[\],"kept":4\}/);
  });

  const rows: readonly [words: readonly string[], exitCode: number, says: RegExp][] = [
    [["NOWHERE"], 5, /there is no layout .*nowhere/],
    [["HOME"], 1, /layout/],
    [["oci:LAYOUT:1"], 2, /is no directory with an OCI layout; a single image is taken out by dray delete/],
    [["docker-archive:x.tar"], 2, /is no directory with an OCI layout/],
    [[], 2, /missing required argument/],
  ];
  for (const [words, exitCode, says] of rows)
    test(`${words.join(" ") || "nothing"} is refused`, async () => {
      const said = words.map((word) =>
        word.replace("LAYOUT", layout).replace("NOWHERE", at("nowhere")).replace("HOME", home),
      );
      await refused(exitCode, says, "layout", "gc", ...said);
    });
});
