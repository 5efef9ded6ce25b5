import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { digestOf } from "../../oci/index.ts";
import { closeThreads } from "../../threads/index.ts";
import { nodeFiles, type OpenFile } from "../index.ts";
import { appendFile } from "./index.ts";

const MiB = 1024 * 1024;

describe("a part of a file that grows", () => {
  let dir = "";
  before(async () => {
    dir = temporaryFolder("append");
  });
  after(async () => {
    await closeThreads();
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
    ["by a thread", (file: OpenFile) => file],
    ["here", withoutNumber],
  ] as const)
    for (const size of [3000, 9 * MiB + 5])
      it(`goes on behind what lies there: ${size} bytes, ${where}`, async () => {
        const path = join(dir, `${where}-${size}`);
        const bytes = seededBytes(size, size);
        const there = size >> 2;
        const position = 77;
        const real = await open(path, "wx+");
        try {
          await real.write(bytes, 0, there, position);
          const options = { algorithm: "sha256", position, there, threadFrom: 0, keepOpen: true } as const;
          const growing = await appendFile(wrap(real), path, options);
          assert.equal(growing.size, there);
          for (let at = there; at < size; at += 100_000) await growing.append(bytes.subarray(at, at + 100_000));
          assert.equal(await growing.flush(), size);
          assert.equal(await growing.digest(), digestOf(bytes));
          await growing.close();
          assert.equal(Buffer.compare((await readFile(path)).subarray(position), bytes), 0);
        } finally {
          await real.close();
        }
      });

  it("is written by a thread where the file has a number", async () => {
    const file = await nodeFiles.open(join(dir, "number"), "wx+");
    assert.equal(typeof file.fd, "number");
    const watched: OpenFile = Object.assign(withoutNumber(file), {
      fd: file.fd,
      write: () => assert.fail("the thread writes"),
    });
    const growing = await appendFile(watched, "number", { algorithm: "sha256", threadFrom: 0 });
    await growing.append(new Uint8Array(9 * MiB).fill(1));
    await growing.flush();
    assert.equal((await file.stat()).size, 9 * MiB);
    await growing.close();
  });
});
