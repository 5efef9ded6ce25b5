import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { failEachCall, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { blobCache } from "./index.ts";

const blob: Descriptor = { mediaType: "a/b", digest: digestOf(seededBytes("blob", 10)), size: 10 };
const bytes = seededBytes("index", 20_000);

describe("an index in a cache", () => {
  test("is seen when it is whole, by whoever looks, and replaces another one", async () => {
    const { directory, indexes } = blobCache(join(temporaryFolder("indexes"), "new"));
    assert.equal(await indexes.open(blob), undefined);
    for (const [part, isWhole] of [
      [bytes, true],
      [bytes.subarray(1), false],
      [bytes.subarray(2), true],
    ] as const) {
      const before = await readdir(directory).catch(() => []);
      const writing = await indexes.begin(blob);
      await writing?.write(part.subarray(0, 5000));
      await writing?.write(part.subarray(5000));
      assert.deepEqual(
        (await readdir(directory)).filter((name) => !name.endsWith(".part")),
        before,
      );
      await writing?.end(isWhole);
      assert.deepEqual(await readdir(directory), [`${blob.digest}.index`]);
      const kept = await blobCache(directory).indexes.open(blob);
      const expected = isWhole ? part : bytes;
      assert.equal(kept?.size, expected.byteLength);
      assert.deepEqual(await kept?.read(100, 50), new Uint8Array(expected.subarray(100, 150)));
      assert.equal((await kept?.read(19_990, 50))?.byteLength, expected.byteLength - 19_990);
    }
    const kept = await indexes.open(blob);
    await indexes.remove(blob);
    await indexes.remove(blob);
    assert.equal(await indexes.open(blob), undefined);
    await assert.rejects(kept?.read(0, 1) ?? Promise.resolve(), (error) => isDrayError(error, "DISK"));
  });

  test("is whole or not there, whatever the disk does, and nothing fails for it", async () => {
    const directory = join(temporaryFolder("indexes"), "c");
    const calls = await failEachCall({
      before: () => rm(directory, { recursive: true, force: true }),
      work: async (files) => {
        const { indexes } = blobCache(directory, { files });
        const writing = await indexes.begin(blob);
        await writing?.write(bytes.subarray(0, 9000));
        await writing?.write(bytes.subarray(9000));
        await writing?.end(true);
        const kept = await indexes.open(blob);
        await kept?.read(0, 10).catch((error: unknown) => assert.ok(isDrayError(error, "DISK")));
        await indexes.mend(blob);
      },
      after: async (error, call) => {
        assert.equal(error, undefined, JSON.stringify(call));
        for (const name of await readdir(directory).catch(() => []))
          if (name === `${blob.digest}.index`)
            assert.ok((await readFile(join(directory, name))).equals(bytes), JSON.stringify(call));
          else assert.match(name, /^\.dray-[0-9a-f]{16}\.part$/);
      },
    });
    assert.ok(calls > 8, String(calls));
  });
});
