import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import { faultyFiles, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { killedAfter } from "../../test/receive.ts";
import { bytesContent, type Content } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { type FileSystem, nodeFiles, receive } from "./index.ts";

const MiB = 1024 * 1024;
const bytes = seededBytes("received", 2 * MiB + 4321);
const descriptor: Descriptor = {
  mediaType: "application/octet-stream",
  digest: digestOf(bytes),
  size: bytes.byteLength,
};

/** Content in chunks that remembers how it was opened and how much was read, and may be cut. */
const source = (
  content: Uint8Array = bytes,
  { chunk = 65536, cutAt = Infinity }: { chunk?: number; cutAt?: number } = {},
): Content & { offsets: number[]; read: number } => {
  const self = {
    offsets: [] as number[],
    read: 0,
    async *open({ offset = 0 } = {}) {
      self.offsets.push(offset);
      for (let at = offset; at < content.byteLength; at += chunk) {
        if (at >= cutAt) throw new DrayError("NETWORK", "the connection was cut", { retryable: true });
        const part = content.subarray(at, at + chunk);
        self.read += part.byteLength;
        yield part;
      }
    },
  };
  return self;
};

describe("receiving content into a file", () => {
  let dir = "";
  let landing = { partial: "", path: "" };
  beforeEach(async () => {
    dir = temporaryFolder("receive");
    landing = { partial: join(dir, "partial"), path: join(dir, "final") };
  });

  const files = async (): Promise<string[]> => (await readdir(dir)).sort();
  const isWhole = async (): Promise<void> => {
    assert.deepEqual(await files(), ["final"]);
    assert.equal(Buffer.compare(await readFile(landing.path), bytes), 0);
  };

  it("ends with the file under its final name alone", async () => {
    await receive(nodeFiles, source(), descriptor, landing);
    await isWhole();
  });

  it("takes small and empty content, sha512 too", async () => {
    for (const content of [new Uint8Array(0), new Uint8Array([1, 2, 3])]) {
      const small = { mediaType: "x/y", digest: digestOf(content, "sha512"), size: content.byteLength };
      await receive(nodeFiles, bytesContent(content), small, landing, { sync: true });
      assert.deepEqual(new Uint8Array(await readFile(landing.path)), content);
    }
  });

  for (const there of [1, 65536, MiB, MiB + 1, bytes.byteLength - 1])
    it(`goes on after ${there} bytes and asks only for the rest`, async () => {
      await writeFile(landing.partial, bytes.subarray(0, there));
      const rest = source();
      await receive(nodeFiles, rest, descriptor, landing);
      assert.deepEqual(rest.offsets, [there]);
      assert.equal(rest.read, bytes.byteLength - there);
      await isWhole();
    });

  it("opens nothing when all bytes are there already", async () => {
    await writeFile(landing.partial, bytes);
    const rest = source();
    await receive(nodeFiles, rest, descriptor, landing);
    assert.deepEqual(rest.offsets, []);
    await isWhole();
  });

  it("keeps every byte that arrived before a cut, and the cut's own error", async () => {
    const cut = source(bytes, { cutAt: 20 * 65536 });
    await assert.rejects(receive(nodeFiles, cut, descriptor, landing), (error) => isDrayError(error, "NETWORK"));
    assert.deepEqual(await files(), ["partial"]);
    const rest = source();
    await receive(nodeFiles, rest, descriptor, landing);
    assert.deepEqual(rest.offsets, [20 * 65536]);
    await isWhole();
  });

  it("stops when cancelled, between two chunks, and keeps what arrived", async () => {
    const cancel = new AbortController();
    const inner = source();
    const content: Content = {
      open: async function* (options) {
        for await (const chunk of inner.open(options)) {
          if (inner.read > MiB) cancel.abort();
          yield chunk;
        }
      },
    };
    const received = receive(nodeFiles, content, descriptor, landing, { signal: cancel.signal });
    await assert.rejects(received, (error) => isDrayError(error, "ABORTED"));
    assert.deepEqual(await files(), ["partial"]);
    assert.ok(inner.read < bytes.byteLength);
    await assert.rejects(receive(nodeFiles, source(), descriptor, landing, { signal: cancel.signal }), (error) =>
      isDrayError(error, "ABORTED"),
    );
  });

  it("begins again, once, when old bytes turn out wrong", async () => {
    await writeFile(landing.partial, new Uint8Array(100_000));
    const content = source();
    await receive(nodeFiles, content, descriptor, landing);
    assert.deepEqual(content.offsets, [100_000, 0]);
    await isWhole();
  });

  it("begins again when the old file is longer than the content", async () => {
    await writeFile(landing.partial, new Uint8Array(bytes.byteLength + 1));
    const content = source();
    await receive(nodeFiles, content, descriptor, landing);
    assert.deepEqual(content.offsets, [0]);
    await isWhole();
  });

  const wrong: readonly [what: string, content: Uint8Array, code: "DIGEST_MISMATCH" | "SIZE_MISMATCH"][] = [
    ["of another digest", bytes.map((byte, i) => (i === 77 ? byte ^ 1 : byte)), "DIGEST_MISMATCH"],
    ["a byte short", bytes.subarray(0, -1), "SIZE_MISMATCH"],
    ["a byte long", new Uint8Array(bytes.byteLength + 1), "SIZE_MISMATCH"],
    ["endlessly long", new Uint8Array(bytes.byteLength + 20 * MiB), "SIZE_MISMATCH"],
  ];
  for (const [what, content, code] of wrong)
    it(`refuses content that is ${what} and leaves nothing`, async () => {
      const sent = source(content);
      await assert.rejects(receive(nodeFiles, sent, descriptor, landing), (error) => isDrayError(error, code));
      assert.deepEqual(await files(), []);
      assert.ok(sent.read <= bytes.byteLength + 65536);
    });

  it("says DISK with the path when the disk is full, keeps what fits, and goes on when there is room", async () => {
    const full = faultyFiles(nodeFiles, ({ operation, count }) =>
      operation === "write" && count > 14 ? "ENOSPC" : undefined,
    );
    await assert.rejects(
      receive(full, source(), descriptor, landing),
      (error) =>
        isDrayError(error, "DISK") && error.message.includes(landing.partial) && /free some space/.test(error.message),
    );
    assert.deepEqual(await files(), ["partial"]);
    const rest = source();
    await receive(nodeFiles, rest, descriptor, landing);
    assert.ok((rest.offsets[0] ?? 0) >= MiB, `from ${rest.offsets[0]}`);
    await isWhole();
  });

  const states: readonly [string, there: Uint8Array][] = [
    ["at first", new Uint8Array(0)],
    ["when it goes on", bytes.subarray(0, MiB + 5)],
    ["when the old bytes are wrong", new Uint8Array(3)],
  ];
  for (const [when, there] of states)
    it(`whatever call fails ${when}, with or without all after it: the next attempt succeeds`, async () => {
      const attempt = (fs: FileSystem): Promise<void> => receive(fs, source(), descriptor, landing, { sync: true });
      const prepare = async (): Promise<void> => {
        await rm(landing.path, { force: true });
        await writeFile(landing.partial, there);
      };
      let calls = 0;
      await prepare();
      await attempt(faultyFiles(nodeFiles, ({ count }) => void (calls = count)));
      assert.ok(calls >= 9, `${calls} calls`);
      for (let at = 2; at <= 2 * calls + 1; at++) {
        await prepare();
        const first = at >> 1;
        const more = at % 2 === 1;
        const faulty = faultyFiles(nodeFiles, ({ count }) =>
          count === first || (more && count > first) ? "EIO" : undefined,
        );
        await assert.rejects(attempt(faulty), (error) => isDrayError(error, "DISK"));
        const final = (await files()).filter((name) => name === "final");
        if (final.length > 0) assert.equal(Buffer.compare(await readFile(landing.path), bytes), 0);
        await attempt(nodeFiles);
        await isWhole();
      }
    });

  it("goes on after the process was killed in the middle", async () => {
    await killedAfter(2 * MiB, 65536, descriptor, landing);
    assert.deepEqual(await files(), ["partial"]);
    const rest = source();
    await receive(nodeFiles, rest, descriptor, landing);
    assert.ok((rest.offsets[0] ?? 0) >= MiB, `from ${rest.offsets[0]}`);
    assert.ok(rest.read <= bytes.byteLength - MiB);
    await isWhole();
  });
});
