import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import { transferable } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { ThreadedHash } from "../hash/index.ts";
import { digestOf } from "../oci/index.ts";
import { closeThreads, ThreadPool } from "../threads/index.ts";
import { layerDigests } from "./layer-digests.ts";
import { layerSteps } from "./layer-steps.ts";

const MiB = 1024 * 1024;
/** In part of no sense, so that it stays large. */
const plain = new Uint8Array(12 * MiB).map((_, i) => (i >> 16) % 251);
plain.set(seededBytes("noise", 9 * MiB), MiB);
const gzip = gzipSync(plain, { level: 1 });
const few = new Uint8Array(300_000).map((_, i) => i % 251);

async function* chunksOf(bytes: Uint8Array, owned: boolean, end?: () => never): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 70_001) {
    const chunk = new Uint8Array(bytes.subarray(at, at + 70_001));
    yield owned ? transferable(chunk) : chunk;
  }
  end?.();
}

describe("the digests of a layer", () => {
  after(closeThreads);

  const layers: readonly [what: string, bytes: Uint8Array, inside: Uint8Array][] = [
    ["large and compressed by gzip", gzip, plain],
    ["large, compressed by gzip, with padding", Buffer.concat([gzip, new Uint8Array(1000)]), plain],
    ["large and compressed by zstd", zstdCompressSync(plain), plain],
    ["large and not compressed", plain, plain],
    ["small and compressed", gzipSync(few), few],
  ];
  for (const [what, bytes, inside] of layers)
    for (const owned of [true, false])
      it(`are those of one that is ${what}, handed over: ${owned}`, async () => {
        const found = await layerDigests(chunksOf(bytes, owned), {
          size: bytes.byteLength,
          algorithm: "sha256",
          inside: "sha512",
        });
        assert.deepEqual(found, { digest: digestOf(bytes), diffID: digestOf(inside, "sha512") });
      });

  const large = (bytes: Uint8Array, end?: () => never): Promise<unknown> =>
    layerDigests(chunksOf(bytes, true, end), { size: bytes.byteLength, algorithm: "sha256", inside: "sha256" });

  it("are those of many at once, one of them damaged", async () => {
    const damaged = new Uint8Array(gzip);
    damaged.fill(0xff, 1000, 5000);
    const results = await Promise.allSettled([large(gzip), large(damaged), large(gzip), large(gzip.subarray(0, -9))]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "rejected"],
    );
    for (const result of results)
      if (result.status === "rejected") assert.ok(isDrayError(result.reason, "MANIFEST_INVALID"), `${result.reason}`);
  });

  it("are the same where no thread gets to its first answer", async () => {
    const pool = new ThreadPool({ script: () => "process.exit(1)", inPlace: async () => layerSteps });
    const hash = new ThreadedHash({ algorithm: "sha256", inside: "sha512", pool });
    for await (const chunk of chunksOf(gzip, false)) await hash.update(chunk);
    assert.deepEqual([await hash.digest(), hash.inside()], [digestOf(gzip), digestOf(plain, "sha512")]);
  });

  it("fail with the error of the chunks, and others go on", async () => {
    const cut = large(gzip, () => {
      throw new DrayError("NETWORK", "the connection was cut");
    });
    const [first, second] = await Promise.allSettled([cut, large(gzip)]);
    assert.ok(first.status === "rejected" && isDrayError(first.reason, "NETWORK"));
    assert.equal(second.status, "fulfilled");
  });
});
