import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type FileCall, faultyFiles, seededBytes, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { nodeFiles } from "dray/internal/files";
import { digestOf } from "dray/oci";
import { inChunks } from "../../test/uploads-by-hand.ts";
import { filesystemDriver } from "../storage/index.ts";
import { type Upload, Uploads } from "./index.ts";

const repository = "a/b";
const owner = "alice";
const codes = ["ENOSPC", "EIO", "EMFILE"] as const;

/** A client that goes on after a failure as clients do: it asks where the session is, and begins again where there is none. */
const push = async (
  uploads: Uploads,
  bytes: Uint8Array,
  piece: number,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Uint8Array> => {
  let failures = 0;
  let failure: unknown;
  /** What the client was told of last. */
  let told = 0;
  for (let id: string | undefined; failures < 4; )
    try {
      const upload: Upload | undefined =
        id === undefined ? await uploads.begin(repository, { owner }) : await uploads.find(repository, id, owner);
      if (upload?.id !== id) told = 0;
      id = upload?.id;
      if (upload === undefined) continue;
      let offset = await upload.offset();
      assert.ok(offset >= told, `${told} bytes were acknowledged, ${offset} are left`);
      while (offset < bytes.byteLength) {
        told = offset;
        const next = Math.min(offset + piece, bytes.byteLength);
        const last = next === bytes.byteLength;
        offset = await upload.append(inChunks(bytes.subarray(offset, next)), { at: offset, last });
      }
      assert.deepEqual(await upload.digest("sha256"), { digest: digestOf(bytes), size: bytes.byteLength });
      return await upload.finish(read, async (whole) => whole.slice());
    } catch (error) {
      if (!isDrayError(error, "DISK", "NOT_FOUND")) throw error;
      failures++;
      failure = error;
    }
  throw new Error("the client gave up", { cause: failure });
};

describe("whatever call of the file system fails once, a client that goes on ends with the right bytes:", () => {
  for (const [size, piece] of [
    [1000, 1000],
    [1000, 400],
    [300_000, 300_000],
    [300_000, 130_000],
  ] as const)
    test(`${size} bytes, ${piece} at once`, async () => {
      const folder = temporaryFolder("faults");
      const bytes = seededBytes(1, size);
      let call = 0;
      let fault: ((count: number, call: FileCall) => string | undefined) | undefined;
      const fs = faultyFiles(nodeFiles, (made) => (fault === undefined ? undefined : fault(call++, made)));
      const driver = await filesystemDriver(folder, { fs, durability: "relaxed" });
      const read = (path: string): Promise<Uint8Array> => readFile(join(folder, path));
      const once = async (wanted: typeof fault): Promise<number> => {
        const uploads = new Uploads({ driver, now: Date.now, lease: 1000, silence: 1000 });
        [call, fault] = [0, wanted];
        try {
          assert.equal(Buffer.compare(await push(uploads, bytes, piece, read), bytes), 0);
        } finally {
          fault = undefined;
          await uploads.close();
        }
        return call;
      };
      const calls = await once(() => undefined);
      for (let at = 0; at < calls; at++)
        for (const code of codes) await once((count) => (count === at ? code : undefined));
      await driver.close();
      assert.ok(calls > 0 || size <= 65_536, "nothing was called");
    });
});
