import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import type { Content } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { layoutStore } from "./index.ts";

const MiB = 1024 * 1024;

describe("a disk that is really full", () => {
  let dir = "";
  let mounted = false;
  before(() => {
    dir = temporaryFolder("full");
    mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "dray-test", dir]).status === 0;
  });
  after(async () => {
    if (mounted) execFileSync("umount", [dir]);
  });

  it("says so, has nothing unfinished under a final name, and goes on when there is room", async (t) => {
    if (!mounted) return t.skip("needs to be allowed to mount a small disk");
    const bytes = seededBytes("full", 4 * MiB);
    const descriptor: Descriptor = { mediaType: "x/y", digest: digestOf(bytes), size: bytes.byteLength };
    const offsets: number[] = [];
    const content: Content = {
      open: async function* ({ offset = 0 } = {}) {
        offsets.push(offset);
        for (let at = offset; at < bytes.byteLength; at += 65536) yield bytes.subarray(at, at + 65536);
      },
    };
    const target = join(dir, "layout");
    const full = layoutStore(target);
    await assert.rejects(full.write(descriptor, content), (error) => {
      assert.ok(isDrayError(error, "DISK"), String(error));
      assert.match(
        error.message,
        /cannot write .*layout.*: the disk is full; free some space and run it again \(ENOSPC\)/,
      );
      return true;
    });
    await full.close({ abort: true });
    assert.deepEqual(await readdir(join(target, "blobs", "sha256")), []);
    execFileSync("mount", ["-o", "remount,size=8m", dir]);
    const again = layoutStore(target);
    await again.write(descriptor, content);
    await again.tag(descriptor, "x");
    await again.close();
    assert.ok((offsets[1] ?? 0) >= MiB, `it began again at ${offsets[1]}`);
    assert.deepEqual((await readdir(target)).sort(), ["blobs", "index.json", "oci-layout"]);
  });
});
