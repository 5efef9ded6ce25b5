import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type FileCall, faultyFiles, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { nodeFiles } from "dray/internal/files";
import { digestOf } from "dray/oci";
import type { Driver } from "./driver.ts";
import { filesystemDriver } from "./filesystem-driver.ts";

const small = seededBytes(1, 100);
const large = seededBytes(2, 300_000);

/** Each works below a folder of its own, on what `prepare` put there, and what it does can be done again. */
const works: readonly [
  what: string,
  work: (driver: Driver, at: string) => Promise<void>,
  path: string,
  bytes?: Uint8Array,
][] = [
  ["writing into a new folder", (driver, at) => driver.write(`${at}/new/folder/file`, small), "new/folder/file", small],
  ["replacing", (driver, at) => driver.write(`${at}/there`, small), "there", small],
  ["moving", (driver, at) => driver.move(`${at}/from`, `${at}/blobs/ab/data`), "blobs/ab/data", large],
  [
    "moving with its folder",
    (driver, at) => driver.move(`${at}/apart/data`, `${at}/blobs/ab/data`, { alone: true }),
    "blobs/ab/data",
    large,
  ],
  ["moving over", (driver, at) => driver.move(`${at}/from`, `${at}/there`), "there", large],
  ["touching", (driver, at) => driver.touch(`${at}/there`), "there", seededBytes(3, 10)],
  ["removing a folder", (driver, at) => driver.remove(`${at}/folder`), "folder/b/c"],
  [
    "receiving",
    async (driver, at) => {
      const receiver = await driver.receive(`${at}/up/data`, "sha256");
      try {
        for (let from = receiver.size; from < large.byteLength; from += 50_000)
          await receiver.append(large.subarray(from, from + 50_000));
        assert.equal(await receiver.digest("sha256"), digestOf(large));
        assert.equal(await receiver.digest("sha512"), digestOf(large, "sha512"));
      } finally {
        await receiver.close();
      }
    },
    "up/data",
    large,
  ],
];

const prepare = async (driver: Driver, at: string): Promise<void> => {
  await driver.write(`${at}/there`, seededBytes(3, 10), { durable: false });
  await driver.write(`${at}/from`, large, { durable: false });
  await driver.write(`${at}/apart/data`, large, { durable: false });
  for (const path of ["a", "b/c", "b/d"]) await driver.write(`${at}/folder/${path}`, small, { durable: false });
};

describe("a disk that fails", () => {
  let folder = "";
  let fault: (call: FileCall) => string | undefined = () => undefined;
  let driver: Driver;
  const start = async (): Promise<void> => {
    driver = await filesystemDriver(folder, { fs: faultyFiles(nodeFiles, (call) => fault(call)) });
  };
  before(async () => {
    folder = temporaryFolder("faults");
    await start();
  });
  after(async () => {
    await driver.close();
  });

  /** Lets the nth call from now on fail. Tells which one that was. */
  const failing = (nth: number, code: string): { call?: FileCall } => {
    const seen: { call?: FileCall } = {};
    let calls = 0;
    fault = (call) => {
      if (++calls !== nth) return undefined;
      seen.call = call;
      return code;
    };
    return seen;
  };

  let folders = 0;
  for (const code of ["EIO", "ENOSPC", "EMFILE"])
    for (const [what, work, path, bytes] of works)
      it(`says ${code} at any call of ${what}: DISK, nothing unfinished stays, and it goes on unless a sync failed`, async () => {
        let nth = 0;
        for (;;) {
          const at = `tests/${++folders}`;
          await prepare(driver, at);
          const seen = failing(++nth, code);
          let error: unknown;
          await work(driver, at).catch((thrown: unknown) => {
            error = thrown;
          });
          fault = () => undefined;
          if (seen.call === undefined) {
            assert.equal(error, undefined);
            break;
          }
          const { operation } = seen.call;
          assert.ok(isDrayError(error, "DISK"), `${operation}: ${String(error)}`);
          assert.match(error.message, new RegExp(code));
          assert.deepEqual(await readdir(join(folder, "dray/tmp")), [], operation);
          assert.equal(driver.stopped?.(), operation === "sync");
          if (operation === "sync") {
            await assert.rejects(driver.write(`${at}/more`, small), (final) => isDrayError(final, "DISK"));
            await assert.rejects(driver.move(`${at}/there`, `${at}/more`), (final) => isDrayError(final, "DISK"));
            await assert.rejects(driver.receive(`${at}/more`, "sha256"), (final) => isDrayError(final, "DISK"));
            await assert.rejects(driver.remove(`${at}/there`), /start again/);
            assert.ok((await driver.read(`${at}/there`)) !== undefined);
            await driver.close();
            await start();
          }
          // A move may have happened, with only its lasting in doubt: then there is nothing to move any more.
          const source = what === "moving with its folder" ? "apart/data" : "from";
          if (bytes !== large || path === "up/data" || (await driver.stat(`${at}/${source}`)) !== undefined)
            await work(driver, at);
          assert.equal(Buffer.compare((await driver.read(`${at}/${path}`)) ?? small, bytes ?? small), 0);
        }
        assert.ok(nth > 5, `${nth} calls`);
      });

  for (const code of ["EIO", "ENOSPC", "EMFILE"])
    it(`says ${code} when reading: DISK, and the next time it reads`, async () => {
      await driver.write("read/file", small);
      const reads = [
        () => driver.read("read/file"),
        () => driver.stat("read/file"),
        () => driver.list("read"),
        () => driver.space?.(),
        async () => {
          const file = await driver.open("read/file");
          try {
            assert.equal(await file?.read(new Uint8Array(100), 0), 100);
          } finally {
            await file?.close();
          }
        },
      ];
      for (const read of reads) {
        let nth = 0;
        for (;;) {
          const seen = failing(++nth, code);
          const failed = await Promise.resolve(read()).then(
            () => undefined,
            (error: unknown) => error,
          );
          fault = () => undefined;
          if (seen.call === undefined) break;
          assert.ok(isDrayError(failed, "DISK"), String(failed));
        }
        assert.ok(nth > 1);
        await read();
      }
    });
});
