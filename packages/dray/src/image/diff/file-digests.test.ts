import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { seededBytes } from "@dray/testkit";
import { FileDigests } from "./file-digests.ts";

/** In chunks whose memory is gone when the next one is asked for. */
async function* lent(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    const chunk = new Uint8Array(bytes.subarray(at, at + size));
    yield chunk;
    chunk.buffer.transfer(0);
  }
}

test("files of any size are told by half of their SHA-256, whatever chunks they come in; what was not read has none", async () => {
  const digests = new FileDigests();
  const sizes = [0, 1, 1000, 64 * 1024, 64 * 1024 + 1, 300_000];
  const wanted = (bytes: Uint8Array): string =>
    createHash("sha256").update(bytes).digest().subarray(0, 16).toString("base64url");
  for (const [i, size] of sizes.entries()) {
    const bytes = seededBytes(`digests/${size}`, size);
    await digests.read(10 * i, size, lent(bytes, 900));
    digests.put(10 * i + 1, bytes);
    for (const record of [10 * i, 10 * i + 1]) assert.equal(digests.get(record), wanted(bytes), `${size} bytes`);
    assert.equal(digests.get(10 * i + 2), undefined);
  }
  assert.equal(digests.get(5), undefined);
  assert.equal(digests.get(1_000_000), undefined);
});
