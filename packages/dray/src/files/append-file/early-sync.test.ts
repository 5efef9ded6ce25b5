import assert from "node:assert/strict";
import { open, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../../errors.ts";
import { closeThreads } from "../../threads/index.ts";
import { type AppendFileOptions, type AppendTarget, appendFile } from "./index.ts";

const mebibyte = 1024 * 1024;
const isFailed = (error: unknown): boolean => isDrayError(error, "DISK") && error.message.includes("(EIO)");
const failure = (): Error => Object.assign(new Error("EIO: injected"), { code: "EIO" });

for (const [where, threadFrom] of [
  ["here", Number.POSITIVE_INFINITY],
  ["by a thread", 0],
] as const)
  describe(`a large file that is to last, written ${where}`, () => {
    let folder = "";
    let files = 0;
    before(async () => {
      folder = temporaryFolder("early");
    });
    after(async () => {
      await closeThreads();
    });
    const path = (): string => join(folder, `file-${++files}`);
    const options: AppendFileOptions = { algorithm: "sha256", threadFrom, durable: true };

    /** A file whose syncs end when a test says so. */
    const slow = async (at: string) => {
      const events: string[] = [];
      const waiting: PromiseWithResolvers<void>[] = [];
      const file = await open(at, "w+");
      const target: AppendTarget = {
        fd: file.fd,
        read: (...how) => file.read(...how),
        write: (...how) => file.write(...how),
        stat: () => file.stat(),
        truncate: (length) => file.truncate(length),
        sync: () => {
          events.push("sync");
          const sync = Promise.withResolvers<void>();
          waiting.push(sync);
          return sync.promise;
        },
        close: async () => {
          events.push("close");
          await file.close();
        },
      };
      return { target, events, waiting };
    };

    test("is synced while it grows, once at a time, and not closed before that is over", async () => {
      const at = path();
      const { target, events, waiting } = await slow(at);
      const file = await appendFile(target, at, options);
      const bytes = new Uint8Array(mebibyte);
      for (let i = 0; i < 15; i++) await file.append(bytes);
      assert.deepEqual(events, []);
      for (let i = 15; i < 40; i++) await file.append(bytes);
      assert.deepEqual(events, ["sync"]);
      waiting.shift()?.resolve();
      await new Promise(setImmediate);
      await file.append(bytes);
      assert.deepEqual(events, ["sync", "sync"]);
      const closed = file.close();
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.deepEqual(events, ["sync", "sync"]);
      waiting.shift()?.resolve();
      await closed;
      assert.deepEqual(events, ["sync", "sync", "close"]);
    });

    test("is not synced where it need not last", async () => {
      const at = path();
      const { target, events } = await slow(at);
      const file = await appendFile(target, at, { ...options, durable: false });
      for (let i = 0; i < 17; i++) await file.append(new Uint8Array(mebibyte));
      await file.close();
      assert.deepEqual(events, ["close"]);
    });

    test("leaves nothing to go on with when a sync on the way fails, which is final", async () => {
      const at = path();
      const { target, waiting } = await slow(at);
      const file = await appendFile(target, at, options);
      for (let i = 0; i < 16; i++) await file.append(new Uint8Array(mebibyte));
      waiting.shift()?.reject(failure());
      await new Promise(setImmediate);
      await assert.rejects(file.append(new Uint8Array(1)), isFailed);
      await assert.rejects(file.truncate(0), isFailed);
      await assert.rejects(file.digest("sha256"), isFailed);
      assert.equal((await stat(at)).size, 0);
      await assert.rejects(file.close(), isFailed);
    });

    test("leaves nothing either when it was being closed", async () => {
      const at = path();
      const { target, waiting } = await slow(at);
      const file = await appendFile(target, at, options);
      for (let i = 0; i < 16; i++) await file.append(new Uint8Array(mebibyte));
      const closed = file.close();
      waiting.shift()?.reject(failure());
      await assert.rejects(closed, isFailed);
      assert.equal((await stat(at)).size, 0);
    });

    test("is closed whatever fails while it is opened", async () => {
      const at = path();
      await writeFile(at, new Uint8Array(1000));
      const { target, events } = await slow(at);
      const fails = (): never => {
        throw failure();
      };
      await assert.rejects(appendFile({ ...target, stat: async () => fails() }, at, options), isFailed);
      assert.deepEqual(events, ["close"]);
    });
  });
