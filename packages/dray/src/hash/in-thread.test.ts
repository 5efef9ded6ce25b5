import assert from "node:assert/strict";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { digestOf } from "../oci/index.ts";
import { closeThreads, ThreadPool } from "../threads/index.ts";
import { type HashPool, ThreadedHash } from "./index.ts";
import { hashSteps } from "./steps.ts";

const MiB = 1024 * 1024;
const bytes = seededBytes("in a thread", 5 * MiB + 17);

describe("a thread that writes what it hashes", () => {
  let dir = "";
  before(() => {
    dir = temporaryFolder("write");
  });
  after(async () => {
    await closeThreads();
  });

  const withFile = async (name: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> => {
    const file = await open(name, flags);
    try {
      await work(file);
    } finally {
      await file.close();
    }
  };

  it("writes from a position on, and hashes what came before as well", async () => {
    const path = join(dir, "whole");
    await withFile(path, "wx+", async (file) => {
      const there = 2 * MiB + 5;
      await file.write(bytes, 0, there, 100);
      const hash = new ThreadedHash({ algorithm: "sha256", to: { fd: file.fd, position: 100 }, there });
      assert.equal(await hash.read(), there);
      for (let at = there; at < bytes.byteLength; at += 70_000) await hash.update(bytes.subarray(at, at + 70_000));
      await hash.flush();
      assert.equal(Buffer.compare((await readFile(path)).subarray(100), bytes), 0);
      assert.equal(await hash.digest(), digestOf(bytes));
    });
  });

  const without: readonly [what: string, pool: HashPool][] = [
    [
      "can be started",
      new ThreadPool({
        script: () => "",
        inPlace: async () => hashSteps,
        start: () => {
          throw new Error("no threads here");
        },
      }),
    ],
    ["gets to its first answer", new ThreadPool({ script: () => "process.exit(1)", inPlace: async () => hashSteps })],
  ];
  for (const [what, pool] of without)
    it(`is done without where none ${what}`, async () => {
      const path = join(dir, `none ${what}`);
      await withFile(path, "wx+", async (file) => {
        const hash = new ThreadedHash({ algorithm: "sha256", pool, to: { fd: file.fd, position: 0 } });
        const other = new ThreadedHash({ algorithm: "sha512", pool });
        for (let at = 0; at < bytes.byteLength; at += 70_000) {
          await hash.update(bytes.subarray(at, at + 70_000));
          await other.update(bytes.subarray(at, at + 70_000));
        }
        await hash.flush();
        assert.equal(Buffer.compare(await readFile(path), bytes), 0);
        assert.deepEqual([await hash.digest(), await other.digest()], [digestOf(bytes), digestOf(bytes, "sha512")]);
      });
    });

  it("writes many at once, each to its own place in one file", async () => {
    const path = join(dir, "many");
    await withFile(path, "wx+", async (file) => {
      const size = MiB + 3;
      await Promise.all(
        Array.from({ length: 5 }, async (_, i) => {
          const hash = new ThreadedHash({ algorithm: "sha512", to: { fd: file.fd, position: i * size } });
          const content = bytes.subarray(i * 1000, i * 1000 + size);
          for (let at = 0; at < size; at += 100_000) await hash.update(content.subarray(at, at + 100_000));
          await hash.flush();
          assert.equal(await hash.digest(), digestOf(content, "sha512"));
        }),
      );
      const written = await readFile(path);
      for (let i = 0; i < 5; i++)
        assert.equal(
          Buffer.compare(written.subarray(i * size, (i + 1) * size), bytes.subarray(i * 1000, i * 1000 + size)),
          0,
        );
    });
  });

  it("writes little and nothing", async () => {
    const path = join(dir, "little");
    await withFile(path, "wx+", async (file) => {
      for (const content of [new Uint8Array(0), new Uint8Array([1, 2, 3])]) {
        const hash = new ThreadedHash({ algorithm: "sha256", to: { fd: file.fd, position: 0 } });
        await hash.update(content);
        await hash.flush();
        assert.deepEqual(new Uint8Array(await readFile(path)), content);
        assert.equal(await hash.digest(), digestOf(content));
      }
    });
  });

  it("tells the system's error with its code, again and again, and writes nothing behind it", async () => {
    const path = join(dir, "unwritable");
    await withFile(path, "wx+", async () => {});
    await withFile(path, "r", async (file) => {
      const hash = new ThreadedHash({ algorithm: "sha256", to: { fd: file.fd, position: 0 } });
      const refused = { code: "EBADF" };
      await assert.rejects(async () => {
        for (;;) await hash.update(bytes.subarray(0, MiB));
      }, refused);
      await assert.rejects(hash.flush(), refused);
      await assert.rejects(hash.flush(), refused);
      await assert.rejects(hash.digest(), refused);
      hash.abandon();
      assert.equal((await readFile(path)).byteLength, 0);
    });
  });

  it("says that a disk is full", { skip: process.platform !== "linux" && "there is no /dev/full" }, async () => {
    await withFile("/dev/full", "r+", async (file) => {
      const hash = new ThreadedHash({ algorithm: "sha256", to: { fd: file.fd, position: 0 } });
      await hash.update(bytes.subarray(0, 1000));
      await assert.rejects(hash.flush(), { code: "ENOSPC" });
    });
  });

  it("ends for those who wait when its thread ends", async () => {
    await withFile(join(dir, "ended"), "wx+", async (file) => {
      const hash = new ThreadedHash({ algorithm: "sha256", to: { fd: file.fd, position: 0 } });
      const fed = hash.update(new Uint8Array(64 * MiB));
      await Promise.all([
        assert.rejects(fed, /ended early/),
        assert.rejects(hash.flush(), /ended early/),
        closeThreads(),
      ]);
      await assert.rejects(hash.digest(), /ended early/);
      hash.abandon();
    });
  });
});
