import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { digestOf } from "../oci/index.ts";
import { type BlockingFiles, hashSteps } from "./steps.ts";

const bytes = seededBytes("steps", 300_000);

describe("the steps of a hash in a thread", () => {
  let folder = "";
  let fd = 0;
  before(() => {
    folder = temporaryFolder("steps");
    fd = fs.openSync(join(folder, "file"), "w+");
  });
  after(() => {
    fs.closeSync(fd);
  });
  const step = {
    algorithm: "sha256",
    to: {
      get fd() {
        return fd;
      },
      position: 0,
    },
  } as const;
  const written = (): Uint8Array => fs.readFileSync(join(folder, "file"));

  it("write on after short writes", async () => {
    const stingy: BlockingFiles = {
      readSync: fs.readSync,
      writeSync: ((file: number, buffer: Uint8Array, offset: number, length: number, position: number) =>
        fs.writeSync(file, buffer, offset, Math.min(length, 1000), position)) as typeof fs.writeSync,
    };
    const steps = hashSteps(stingy);
    assert.deepEqual(await steps(step, bytes), {});
    assert.deepEqual(await steps({ algorithm: "sha256", digest: true }, undefined), { digest: digestOf(bytes) });
    assert.equal(Buffer.compare(written(), bytes), 0);
  });

  it("say that a file that takes nothing is a full disk", () => {
    const steps = hashSteps({ readSync: fs.readSync, writeSync: () => 0 });
    assert.throws(() => steps(step, bytes), { code: "ENOSPC" });
  });

  for (const code of ["ENOSPC", "EIO"])
    it(`write nothing more after ${code}, whatever comes`, () => {
      let calls = 0;
      const steps = hashSteps({
        readSync: fs.readSync,
        writeSync: () => {
          calls++;
          throw Object.assign(new Error(code), { code });
        },
      });
      for (let i = 0; i < 3; i++) assert.throws(() => steps(step, bytes), { code });
      assert.throws(() => steps({ algorithm: "sha256", digest: true }, undefined), { code });
      assert.equal(calls, 1);
    });

  it("hash what lies there, as far as it goes", async () => {
    fs.writeSync(fd, bytes, 0, bytes.byteLength, 0);
    const steps = hashSteps();
    const from = { fd, position: 1000, length: 100_000 };
    assert.deepEqual(await steps({ algorithm: "sha256", from }, undefined), { read: 100_000 });
    const rest = { fd, position: 101_000, length: 1_000_000 };
    assert.deepEqual(await steps({ algorithm: "sha256", from: rest }, undefined), { read: 199_000 });
    const digest = digestOf(bytes.subarray(1000));
    assert.deepEqual(await steps({ algorithm: "sha256", digest: true }, undefined), { digest });
  });
});
