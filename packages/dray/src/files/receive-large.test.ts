import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { killedAfter } from "../../test/receive.ts";
import { type Content, transferable, transfersChunks } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { closeThreads } from "../threads/index.ts";
import { nodeFiles, receive } from "./index.ts";

const MiB = 1024 * 1024;
const bytes = seededBytes("received", 12 * MiB + 4321);
const descriptor: Descriptor = {
  mediaType: "application/octet-stream",
  digest: digestOf(bytes),
  size: bytes.byteLength,
};
const chunk = 100_000;

/** Content in chunks of their own, which stops in some way at a byte. */
const source = (content: Uint8Array, stopAt = Infinity, stop = async (): Promise<void> => {}) => {
  const offsets: number[] = [];
  const made: Content = {
    open: transfersChunks<Content["open"]>(async function* ({ offset = 0 } = {}) {
      offsets.push(offset);
      for (let at = offset; at < content.byteLength; at += chunk) {
        if (at >= stopAt) await stop();
        yield transferable(content.slice(at, at + chunk));
      }
    }),
  };
  return { ...made, offsets };
};
const cutOff = async (): Promise<never> => {
  throw new DrayError("NETWORK", "the connection was cut", { retryable: true });
};

describe("receiving content that is worth a thread", () => {
  let dir = "";
  let landing = { partial: "", path: "" };
  after(() => closeThreads());
  beforeEach(async () => {
    dir = temporaryFolder("receive-large");
    landing = { partial: join(dir, "partial"), path: join(dir, "final") };
  });
  const finish = async (from: number): Promise<void> => {
    const rest = source(bytes);
    await receive(nodeFiles, rest, descriptor, landing);
    assert.deepEqual(rest.offsets, [from]);
    assert.deepEqual(await readdir(dir), ["final"]);
    assert.equal(Buffer.compare(await readFile(landing.path), bytes), 0);
  };
  /** What is there, which is a beginning of the content. */
  const there = async (): Promise<number> => {
    assert.deepEqual(await readdir(dir), ["partial"]);
    const partial = await readFile(landing.partial);
    assert.equal(Buffer.compare(partial, bytes.subarray(0, partial.byteLength)), 0);
    return partial.byteLength;
  };

  it("ends with the file under its final name alone", () => finish(0));

  for (const at of [1, 9 * MiB + 1])
    it(`goes on after ${at} bytes`, async () => {
      await writeFile(landing.partial, bytes.subarray(0, at));
      await finish(at);
    });

  it("keeps every byte that arrived before a cut", async () => {
    const cut = source(bytes, 50 * chunk, cutOff);
    await assert.rejects(receive(nodeFiles, cut, descriptor, landing), (error) => isDrayError(error, "NETWORK"));
    assert.equal(await there(), 50 * chunk);
    await finish(50 * chunk);
  });

  it("keeps what arrived when it is cancelled", async () => {
    const cancel = new AbortController();
    const content = source(bytes, 50 * chunk, async () => cancel.abort());
    const received = receive(nodeFiles, content, descriptor, landing, { signal: cancel.signal });
    await assert.rejects(received, (error) => isDrayError(error, "ABORTED"));
    assert.equal(await there(), 50 * chunk);
    await finish(50 * chunk);
  });

  const wrong = bytes.with(77, (bytes[77] as number) ^ 1);
  it("begins again when old bytes turn out wrong", async () => {
    await writeFile(landing.partial, wrong.subarray(0, MiB));
    const content = source(bytes);
    await receive(nodeFiles, content, descriptor, landing);
    assert.deepEqual(content.offsets, [MiB, 0]);
    assert.equal(Buffer.compare(await readFile(landing.path), bytes), 0);
  });

  for (const [what, content, code] of [
    ["of another digest", wrong, "DIGEST_MISMATCH"],
    ["a byte short", bytes.subarray(0, -1), "SIZE_MISMATCH"],
    ["a byte long", new Uint8Array(bytes.byteLength + 1), "SIZE_MISMATCH"],
  ] as const)
    it(`refuses content that is ${what} and leaves nothing`, async () => {
      await assert.rejects(receive(nodeFiles, source(content), descriptor, landing), (error) =>
        isDrayError(error, code),
      );
      assert.deepEqual(await readdir(dir), []);
    });

  it("goes on after the process was killed in the middle", async () => {
    await killedAfter(10 * MiB, chunk, descriptor, landing);
    const kept = await there();
    // What was with the thread may be lost.
    assert.ok(kept >= 8 * MiB, `${kept} bytes`);
    await finish(kept);
  });
});
