import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { digestOf } from "dray/oci";
import { patterned } from "../../../test/uploads-by-hand.ts";
import type { AppendFile } from "../../storage/index.ts";
import { closeReceiveWorkers, receiveInThread } from "./index.ts";

const mebibyte = 1024 * 1024;
const isDisk = (error: unknown): boolean => isDrayError(error, "DISK");

describe("a receiver in a thread", () => {
  let folder = "";
  let files = 0;
  const begun: AppendFile[] = [];
  before(() => {
    folder = temporaryFolder("thread");
  });
  after(async () => {
    for (const receiver of begun) await receiver.close().catch(() => {});
    await closeReceiveWorkers();
  });
  const receive = async (path: string): Promise<AppendFile> => {
    const receiver = await receiveInThread(path, "sha256");
    begun.push(receiver);
    return receiver;
  };
  const fresh = async (): Promise<{ receiver: AppendFile; path: string }> => {
    const path = join(folder, `file-${++files}`);
    return { receiver: await receive(path), path };
  };
  const isWhole = async (receiver: AppendFile, path: string, bytes: Uint8Array): Promise<void> => {
    assert.equal(await receiver.drain(), bytes.byteLength);
    assert.equal(await receiver.digest("sha256"), digestOf(bytes));
    assert.equal(await receiver.digest("sha512"), digestOf(bytes, "sha512"));
    await receiver.close();
    assert.equal(Buffer.compare(await readFile(path), bytes), 0);
  };

  test("makes no file before there is something in it, and one at the end in any case", async () => {
    const { receiver, path } = await fresh();
    await receiver.append(patterned(100));
    assert.equal(existsSync(path), false);
    assert.equal(await receiver.drain(), 100);
    assert.equal(existsSync(path), true);
    const none = await fresh();
    await none.receiver.close();
    assert.equal((await readFile(none.path)).byteLength, 0);
  });

  test("grows from little to much, drained at every size", async () => {
    const { receiver, path } = await fresh();
    const bytes = patterned(3 * mebibyte);
    let at = 0;
    for (const size of [1, 1000, 64_000, 535, 1, 70_000, 200_000, 262_144, 262_143, 1_000_000]) {
      await receiver.append(bytes.subarray(at, at + size));
      at += size;
      assert.equal(await receiver.drain(), at);
      assert.equal(receiver.size, at);
    }
    await isWhole(receiver, path, bytes.subarray(0, at));
  });

  test("serves many at once, more than it keeps blocks for, and again", async () => {
    for (let round = 0; round < 2; round++) {
      const many = await Promise.all(Array.from({ length: 100 }, fresh));
      const bytes = many.map((_, i) => patterned(400_000, i + 1));
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
    const bytes = patterned(2 * mebibyte);
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
    await receiver.append(patterned(mebibyte));
    assert.equal(await receiver.digest("sha256"), digestOf(patterned(mebibyte)));
    await receiver.append(patterned(mebibyte, 2));
    await isWhole(receiver, path, Buffer.concat([patterned(mebibyte), patterned(mebibyte, 2)]));
  });

  test("loses its thread in the middle: what was told is there, and the next bytes come behind it", async () => {
    const { receiver, path } = await fresh();
    const bytes = patterned(2 * mebibyte);
    await receiver.append(bytes.subarray(0, mebibyte));
    assert.equal(await receiver.drain(), mebibyte);
    await receiver.append(patterned(mebibyte, 9));
    await closeReceiveWorkers();
    const late = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) await receiver.append(patterned(mebibyte, 9));
    };
    await assert.rejects(late(), isDisk);
    await assert.rejects(receiver.drain(), isDisk);
    assert.equal(receiver.size, mebibyte);
    await receiver.append(bytes.subarray(mebibyte));
    await isWhole(receiver, path, bytes);
  });

  test("loses its thread while nothing is on the way, and nobody notices", async () => {
    const { receiver, path } = await fresh();
    const bytes = patterned(2 * mebibyte);
    await receiver.append(bytes.subarray(0, mebibyte));
    await receiver.drain();
    await closeReceiveWorkers();
    await receiver.append(bytes.subarray(mebibyte));
    await receiver.drain();
    await closeReceiveWorkers();
    await isWhole(receiver, path, bytes);
  });

  test("closes without its thread", async () => {
    const { receiver, path } = await fresh();
    await receiver.append(patterned(mebibyte));
    await receiver.drain();
    await closeReceiveWorkers();
    await receiver.close();
    assert.equal((await readFile(path)).byteLength, mebibyte);
  });

  test("tells what the disk said, with its code", async (context) => {
    if (!existsSync("/dev/full")) return context.skip("this system has no /dev/full");
    const path = join(folder, "full");
    await symlink("/dev/full", path);
    const receiver = await receive(path);
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) await receiver.append(patterned(mebibyte));
    };
    for (const call of [fill(), receiver.drain()])
      await assert.rejects(call, (error) => isDisk(error) && (error as Error).message.includes("(ENOSPC)"));
    await assert.rejects(
      receiveInThread(join(folder, "none", "file"), "sha256").then((it) => it.close()),
      isDisk,
    );
  });

  test("does not go on where somebody else cut the file", async () => {
    const { receiver, path } = await fresh();
    await receiver.append(patterned(mebibyte));
    await receiver.drain();
    await truncate(path, 1000);
    await closeReceiveWorkers();
    await receiver.append(patterned(1000));
    await assert.rejects(receiver.drain(), isDisk);
  });
});
