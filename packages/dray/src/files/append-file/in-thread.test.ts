import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../../errors.ts";
import { digestOf } from "../../oci/index.ts";
import { closeThreads } from "../../threads/index.ts";
import { nodeFiles } from "../index.ts";
import { type AppendFile, appendFile } from "./index.ts";

const mebibyte = 1024 * 1024;
const isDisk = (error: unknown): boolean => isDrayError(error, "DISK");

describe("a file that grows, written by a thread", () => {
  let folder = "";
  let files = 0;
  const begun: AppendFile[] = [];
  before(() => {
    folder = temporaryFolder("thread");
  });
  after(async () => {
    for (const receiver of begun) await receiver.close().catch(() => {});
    await closeThreads();
  });
  const receive = async (path: string): Promise<AppendFile> => {
    const flags = existsSync(path) ? "r+" : "wx+";
    const options = { algorithm: "sha256", threadFrom: 64 * 1024 } as const;
    const receiver = await appendFile(await nodeFiles.open(path, flags), path, options);
    begun.push(receiver);
    return receiver;
  };
  const fresh = async (): Promise<{ receiver: AppendFile; path: string }> => {
    const path = join(folder, `file-${++files}`);
    return { receiver: await receive(path), path };
  };
  const isWhole = async (receiver: AppendFile, path: string, bytes: Uint8Array): Promise<void> => {
    assert.equal(await receiver.flush(), bytes.byteLength);
    assert.equal(await receiver.digest("sha256"), digestOf(bytes));
    assert.equal(await receiver.digest("sha512"), digestOf(bytes, "sha512"));
    await receiver.close();
    assert.equal(Buffer.compare(await readFile(path), bytes), 0);
  };

  test("grows from little to much, flushed at every size", async () => {
    const { receiver, path } = await fresh();
    const bytes = seededBytes(1, 3 * mebibyte);
    let at = 0;
    for (const size of [1, 1000, 64_000, 535, 1, 70_000, 200_000, 262_144, 262_143, 1_000_000]) {
      await receiver.append(bytes.subarray(at, at + size));
      at += size;
      assert.equal(await receiver.flush(), at);
      assert.equal(receiver.size, at);
    }
    await isWhole(receiver, path, bytes.subarray(0, at));
  });

  test("serves many at once, more than it keeps blocks for, and again", async () => {
    for (let round = 0; round < 2; round++) {
      const many = await Promise.all(Array.from({ length: 100 }, fresh));
      const bytes = many.map((_, i) => seededBytes(i + 1, 400_000));
      for (const at of [0, 200_000])
        await Promise.all(
          many.map(({ receiver }, i) => receiver.append((bytes[i] as Uint8Array).subarray(at, at + 200_000))),
        );
      const digests = await Promise.all(many.map(({ receiver }) => receiver.digest("sha256")));
      assert.deepEqual(
        digests,
        bytes.map((each) => digestOf(each)),
      );
      await Promise.all(many.map(({ receiver }) => receiver.close()));
    }
  });

  test("leaves the caller's bytes alone, and looks at them no more", async () => {
    const { receiver, path } = await fresh();
    const bytes = seededBytes(1, 2 * mebibyte);
    const mine = new Uint8Array(10_000);
    for (let at = 0; at < bytes.byteLength; at += mine.byteLength) {
      const part = bytes.subarray(at, at + mine.byteLength);
      mine.set(part);
      await receiver.append(mine.subarray(0, part.byteLength));
      mine.fill(0);
    }
    await isWhole(receiver, path, bytes);
  });

  test("tells the digest, and goes on", async () => {
    const { receiver, path } = await fresh();
    await receiver.append(seededBytes(1, mebibyte));
    assert.equal(await receiver.digest("sha256"), digestOf(seededBytes(1, mebibyte)));
    await receiver.append(seededBytes(2, mebibyte));
    await isWhole(receiver, path, Buffer.concat([seededBytes(1, mebibyte), seededBytes(2, mebibyte)]));
  });

  test("loses its thread in the middle: what was told is there, and the next bytes come behind it", async () => {
    const { receiver, path } = await fresh();
    const bytes = seededBytes(1, 2 * mebibyte);
    await receiver.append(bytes.subarray(0, mebibyte));
    assert.equal(await receiver.flush(), mebibyte);
    const late = receiver.append(seededBytes(9, 16 * mebibyte));
    await Promise.all([assert.rejects(late, isDisk), closeThreads()]);
    await assert.rejects(receiver.append(seededBytes(1, 1)), isDisk);
    await assert.rejects(receiver.flush(), isDisk);
    assert.equal(receiver.size, mebibyte);
    await receiver.truncate(mebibyte);
    await receiver.append(bytes.subarray(mebibyte));
    await isWhole(receiver, path, bytes);
  });

  test("loses its thread while nothing is on the way, and nobody notices", async () => {
    const { receiver, path } = await fresh();
    const bytes = seededBytes(1, 2 * mebibyte);
    await receiver.append(bytes.subarray(0, mebibyte));
    await receiver.flush();
    await closeThreads();
    await receiver.append(bytes.subarray(mebibyte));
    await receiver.flush();
    await closeThreads();
    await isWhole(receiver, path, bytes);
  });

  test("closes without its thread", async () => {
    const { receiver, path } = await fresh();
    await receiver.append(seededBytes(1, mebibyte));
    await receiver.flush();
    await closeThreads();
    await receiver.close();
    assert.equal((await readFile(path)).byteLength, mebibyte);
  });

  test("tells what the disk said, with its code", async (context) => {
    if (!existsSync("/dev/full")) return context.skip("this system has no /dev/full");
    const path = join(folder, "full");
    await symlink("/dev/full", path);
    const receiver = await receive(path);
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) await receiver.append(seededBytes(1, mebibyte));
    };
    for (const call of [fill(), receiver.flush()])
      await assert.rejects(call, (error) => isDisk(error) && (error as Error).message.includes("(ENOSPC)"));
  });

  test("does not go on where somebody else cut the file", async () => {
    const { receiver, path } = await fresh();
    await receiver.append(seededBytes(1, mebibyte));
    await receiver.flush();
    await truncate(path, 1000);
    await closeThreads();
    await assert.rejects(receiver.append(seededBytes(1, 1000)), isDisk);
    await assert.rejects(receiver.flush(), isDisk);
  });
});
