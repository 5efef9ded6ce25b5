import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { transferable } from "../content/index.ts";
import { closeHashWorkers } from "../hash/index.ts";
import { digestOf } from "../oci/index.ts";
import { hashedWriter } from "./hashed-writer.ts";
import { nodeFiles, type OpenFile } from "./index.ts";

const MiB = 1024 * 1024;

describe("writing and hashing", () => {
  let dir = "";
  before(() => {
    dir = temporaryFolder("hashed-writer");
  });
  after(async () => {
    await closeHashWorkers();
  });

  /** A file that only its functions lead to, so that no thread takes part. */
  const withoutNumber = (file: OpenFile): OpenFile => ({
    read: (...how) => file.read(...how),
    write: (...how) => file.write(...how),
    stat: () => file.stat(),
    truncate: (length) => file.truncate(length),
    sync: () => file.sync(),
    close: () => file.close(),
  });

  for (const [where, wrap] of [
    ["wherever it is cheaper", (file: OpenFile) => file],
    ["here", withoutNumber],
  ] as const)
    for (const size of [3000, 9 * MiB + 5])
      for (const handsOver of [true, false])
        it(`goes on behind what lies there: ${size} bytes, ${where}, handing over: ${handsOver}`, async () => {
          const path = join(dir, `${where}-${size}-${handsOver}`);
          const bytes = new Uint8Array(size).map((_, i) => (i * 2654435761) >>> 13);
          const there = size >> 2;
          const chunks: Uint8Array[] = [];
          const position = 77;
          const real = await open(path, "wx+");
          const file = wrap(real);
          try {
            await real.write(bytes, 0, there, position);
            const writer = hashedWriter(file, { algorithm: "sha256", size, position, handsOver });
            await writer.update(bytes.subarray(0, there));
            for (let at = there; at < size; at += 100_000) {
              const chunk = transferable(bytes.slice(at, at + 100_000));
              chunks.push(chunk);
              await writer.write(chunk);
            }
            await writer.end();
            assert.equal(await writer.digest(), digestOf(bytes));
            for (const { byteLength } of chunks) assert.equal(byteLength === 0, handsOver);
            writer.abandon();
            assert.equal(Buffer.compare((await readFile(path)).subarray(position), bytes), 0);
          } finally {
            await real.close();
          }
        });

  it("writes from a thread where the file has a number", async () => {
    const file = await nodeFiles.open(join(dir, "number"), "wx+");
    try {
      assert.equal(typeof file.fd, "number");
      const watched: OpenFile = Object.assign(withoutNumber(file), {
        fd: file.fd,
        write: () => assert.fail("the thread writes"),
      });
      const writer = hashedWriter(watched, { algorithm: "sha256", size: 9 * MiB, position: 0, handsOver: true });
      await writer.write(transferable(new Uint8Array(9 * MiB).fill(1)));
      await writer.end();
      assert.equal((await file.stat()).size, 9 * MiB);
    } finally {
      await file.close();
    }
  });
});
