import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import { type FileSystem, nodeFiles, type OpenFile } from "dray/internal/files";
import { Syncs } from "./directories.ts";

/** Directories whose syncs end when the test says so. */
const slow = (): { fs: FileSystem; syncs: { path: string; end: (code?: string) => void }[] } => {
  const syncs: { path: string; end: (code?: string) => void }[] = [];
  const sync = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      syncs.push({
        path,
        end: (code) => (code === undefined ? resolve() : reject(Object.assign(new Error(code), { code }))),
      });
    });
  const file = (path: string): OpenFile => ({
    read: async () => ({ bytesRead: 0 }),
    write: async () => ({ bytesWritten: 0 }),
    stat: () => nodeFiles.stat("."),
    truncate: async () => {},
    sync: () => sync(path),
    close: async () => {},
  });
  return { fs: { ...nodeFiles, open: async (path) => file(path) }, syncs };
};

const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
};

/** Tells whether it has resolved. */
const watched = (promise: Promise<void>): { done: boolean } => {
  const state = { done: false };
  promise.then(
    () => {
      state.done = true;
    },
    () => {},
  );
  return state;
};

describe("syncing directories", () => {
  it("lets those that come while a sync runs share one next sync, not the one that runs", async () => {
    const { fs, syncs } = slow();
    const disk = new Syncs(fs);
    const first = watched(disk.directory("/a"));
    await settle();
    const later = [1, 2, 3, 4].map(() => watched(disk.directory("/a")));
    await settle();
    assert.equal(syncs.length, 1);
    syncs[0]?.end();
    await settle();
    assert.equal(first.done, true);
    assert.equal(syncs.length, 2);
    assert.ok(later.every(({ done }) => !done));
    const last = watched(disk.directory("/a"));
    syncs[1]?.end();
    await settle();
    assert.ok(later.every(({ done }) => done));
    assert.equal(last.done, false);
    assert.equal(syncs.length, 3);
    syncs[2]?.end();
    await settle();
    assert.equal(last.done, true);
  });

  it("syncs several directories side by side", async () => {
    const { fs, syncs } = slow();
    const disk = new Syncs(fs);
    const both = Promise.all([disk.directory("/a"), disk.directory("/b")]);
    await settle();
    assert.deepEqual(syncs.map(({ path }) => path).sort(), ["/a", "/b"]);
    for (const { end } of syncs) end();
    await both;
  });

  it("is over for good after a sync that failed: for those who wait, and for all who come", async () => {
    const { fs, syncs } = slow();
    const disk = new Syncs(fs);
    const isFinal = (error: unknown): boolean =>
      isDrayError(error, "DISK") && /\/a could not be brought to the disk \(EIO\)/.test(error.message);
    const calls = [disk.directory("/a")];
    await settle();
    calls.push(disk.directory("/a"), disk.directory("/a"));
    const rejected = Promise.all(calls.map((call) => assert.rejects(call, isFinal)));
    syncs[0]?.end("EIO");
    await rejected;
    assert.throws(() => disk.check(), isFinal);
    await assert.rejects(disk.directory("/b"), isFinal);
    await assert.rejects(disk.file("/c", await fs.open("/c", "r")), isFinal);
    assert.equal(syncs.length, 1);
  });

  for (const code of ["EINVAL", "ENOTSUP"])
    it(`passes over ${code}: such a file system has no sync of directories`, async () => {
      const { fs, syncs } = slow();
      const disk = new Syncs(fs);
      const call = disk.directory("/a");
      await settle();
      syncs[0]?.end(code);
      await call;
      disk.check();
    });

  it("passes over a directory that is gone, and stays in use when one cannot be opened", async () => {
    const { fs } = slow();
    const open = (code: string): FileSystem => ({
      ...fs,
      open: async () => {
        throw Object.assign(new Error(code), { code });
      },
    });
    await new Syncs(open("ENOENT")).directory("/a");
    const disk = new Syncs(open("EMFILE"));
    await assert.rejects(disk.directory("/a"), { code: "EMFILE" });
    disk.check();
  });
});
