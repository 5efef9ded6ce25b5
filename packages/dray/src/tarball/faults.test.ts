/** A tar in its part, and what an earlier attempt left there: whatever call of the file system fails, the next attempt completes it. */
import assert from "node:assert/strict";
import { copyFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { failEachCall, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { bytesContent, type Content } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { digestOf, hexOf } from "../oci/index.ts";
import type { NamedContent } from "./sink.ts";
import { TarPart } from "./tar-part.ts";

const contentOf = (seed: number, size: number): NamedContent & { content: Content } => {
  const bytes = seededBytes(seed, size);
  const digest = digestOf(bytes);
  return {
    descriptor: { mediaType: "x/y", digest, size },
    name: `${hexOf(digest)}.tar`,
    content: bytesContent(bytes),
  };
};

const [dropped, first, second] = [contentOf(1, 700_000), contentOf(2, 300_000), contentOf(3, 5)] as const;
const last = [{ name: "last.json", bytes: Buffer.from("[]") }];

/** Goes on with what is there, drops what is not wanted any more, and moves the rest together. */
const complete = async (file: string, fs: FileSystem = nodeFiles): Promise<void> => {
  const part = await TarPart.open(fs, file);
  try {
    await part.plan([first, second]);
    for (const each of [first, second]) await part.write(each, each.content);
    await part.finish(new Map([first, second].map(({ descriptor, name }) => [descriptor.digest, [name]])), last);
  } catch (error) {
    // As a store does: what went wrong before says more.
    await part.abandon().catch(() => {});
    throw error;
  }
};

test("an attempt that goes on where another stopped", async () => {
  const folder = temporaryFolder("tar-faults");
  const file = join(folder, "x.tar");
  await complete(file);
  const wanted = await readFile(file);
  await rm(file);
  // Left by the attempt before: one whole, one cut, none of the third.
  const part = await TarPart.open(nodeFiles, file);
  await part.plan([dropped, first]);
  await part.write(dropped, dropped.content);
  const cut: Content = {
    open: async function* (options) {
      for await (const chunk of first.content.open(options)) yield chunk.subarray(0, 200_000);
    },
  };
  await assert.rejects(part.write(first, cut));
  await part.abandon();
  await copyFile(`${file}.dray-part`, join(folder, "left"));

  let failed = 0;
  const calls = await failEachCall({
    before: async () => {
      await rm(file, { force: true });
      await copyFile(join(folder, "left"), `${file}.dray-part`);
    },
    work: (fs) => complete(file, fs),
    after: async (error, call) => {
      const now = await readFile(file).catch(() => undefined);
      if (error === undefined) assert.ok(now?.equals(wanted), JSON.stringify(call));
      else {
        failed++;
        assert.ok(isDrayError(error, "DISK"), JSON.stringify(call));
        assert.ok(now === undefined || now.equals(wanted), JSON.stringify(call));
      }
      await complete(file);
      assert.ok((await readFile(file)).equals(wanted), JSON.stringify(call));
      assert.deepEqual((await readdir(folder)).sort(), ["left", "x.tar"], JSON.stringify(call));
    },
  });
  assert.ok(calls >= 20 && failed >= calls, `${failed} failures of ${calls} calls`);
});
