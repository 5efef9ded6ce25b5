import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { page, pieceSize } from "../../hash/steps.ts";
import { blockSize } from "../../threads/index.ts";
import type { OpenFile } from "../index.ts";
import { type AppendFile, appendFile } from "./index.ts";

const blockWriter = (file: OpenFile, there: number): Promise<AppendFile> => appendFile(file, "a file", { there });

const memoryFile = (
  options: { most?: number; fail?: (write: number) => boolean } = {},
): OpenFile & { content: Uint8Array; writes: number; atOnce: number } => {
  let running = 0;
  const file = {
    content: new Uint8Array(0),
    writes: 0,
    atOnce: 0,
    write: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
      file.atOnce = Math.max(file.atOnce, ++running);
      await new Promise(setImmediate);
      running--;
      file.writes++;
      if (options.fail?.(file.writes)) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      const bytesWritten = Math.min(length, options.most ?? length);
      assert.ok(position <= file.content.byteLength, "no hole");
      const grown = new Uint8Array(Math.max(file.content.byteLength, position + bytesWritten));
      grown.set(file.content);
      grown.set(buffer.subarray(offset, offset + bytesWritten), position);
      file.content = grown;
      return { bytesWritten };
    },
  };
  return file as unknown as OpenFile & typeof file;
};

describe("a file that grows, written in place", () => {
  const content = seededBytes("content", 3 * blockSize + 12345);
  for (const chunk of [65536, 100_000, blockSize, 2 * blockSize + 1, content.byteLength])
    it(`writes chunks of ${chunk} in pieces of one size but the first, one at a time, in order`, async () => {
      const file = memoryFile();
      const writer = await blockWriter(file, 0);
      for (let at = 0; at < content.byteLength; at += chunk) await writer.append(content.subarray(at, at + chunk));
      await writer.flush();
      assert.equal(Buffer.compare(file.content, content), 0);
      assert.equal(file.writes, 1 + Math.ceil((content.byteLength - page) / pieceSize));
      assert.equal(file.atOnce, 1);
    });

  it("goes on at a position", async () => {
    const file = memoryFile();
    file.content = seededBytes("before", 10);
    const writer = await blockWriter(file, 10);
    await writer.append(new Uint8Array([1, 2, 3]));
    await writer.flush();
    assert.deepEqual([...file.content.subarray(10)], [1, 2, 3]);
  });

  it("writes the rest of a write that the system cut short", async () => {
    const file = memoryFile({ most: 30_000 });
    const writer = await blockWriter(file, 0);
    await writer.append(content);
    await writer.flush();
    assert.equal(Buffer.compare(file.content, content), 0);
  });

  it("lets the caller use its chunk again at once", async () => {
    const file = memoryFile();
    const writer = await blockWriter(file, 0);
    const chunk = new Uint8Array(blockSize);
    for (let i = 1; i <= 3; i++) await writer.append(chunk.fill(i));
    await writer.flush();
    for (let i = 0; i < 3; i++) assert.equal(file.content[i * blockSize + 5], i + 1);
  });

  it("reports a failed write at the next step, and writes nothing behind the gap", async () => {
    const file = memoryFile({ fail: (write) => write === 1 + blockSize / pieceSize });
    const writer = await blockWriter(file, 0);
    await assert.rejects(
      async () => {
        for (let i = 0; i < 4; i++) await writer.append(content.subarray(0, blockSize));
      },
      { code: "DISK", message: /disk is full/ },
    );
    await assert.rejects(writer.flush(), { code: "DISK", message: /disk is full/ });
    assert.equal(file.content.byteLength, blockSize - pieceSize + page);
  });

  it("writes nothing when there was nothing", async () => {
    const file = memoryFile();
    await (await blockWriter(file, 0)).flush();
    assert.equal(file.writes, 0);
  });
});
