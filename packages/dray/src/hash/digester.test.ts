import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { seededBytes } from "@dray/testkit/files";
import { type DigestAlgorithm, digestOf } from "../oci/index.ts";
import { closeThreads } from "../threads/index.ts";
import { hashInPlace } from "./in-place.ts";
import { type AsyncDigester, digesterFor, ThreadedHash } from "./index.ts";
import { hashesFast } from "./speed.ts";

const hashInThread = (algorithm: DigestAlgorithm): ThreadedHash => new ThreadedHash({ algorithm });

const MiB = 1024 * 1024;
const bytes = seededBytes("digester", 10 * MiB + 17);

const hashOf = async (hash: AsyncDigester, content: Uint8Array, chunk: number): Promise<string> => {
  for (let at = 0; at < content.byteLength; at += chunk) await hash.update(content.subarray(at, at + chunk));
  return hash.digest();
};

after(closeThreads);

const ways: readonly [string, (algorithm: DigestAlgorithm) => AsyncDigester][] = [
  ["in place", hashInPlace],
  ["in a thread", hashInThread],
  ["wherever it is cheaper", (algorithm) => digesterFor(algorithm)],
];

for (const [way, begin] of ways)
  describe(`a digest computed ${way}`, () => {
    const cases: readonly [DigestAlgorithm, size: number, chunk: number][] = [
      ["sha256", 0, 1],
      ["sha256", 1, 1],
      ["sha512", 1000, 7],
      ["sha256", MiB, MiB],
      ["sha256", MiB + 1, 65536],
      ["sha256", bytes.byteLength, bytes.byteLength],
      ["sha512", bytes.byteLength, 300_001],
      ["sha256", bytes.byteLength, 65536],
    ];
    for (const [algorithm, size, chunk] of cases)
      it(`is the ${algorithm} of ${size} bytes in chunks of ${chunk}`, async () => {
        const content = bytes.subarray(0, size);
        assert.equal(await hashOf(begin(algorithm), content, chunk), digestOf(content, algorithm));
      });

    it("leaves the caller its bytes, which may change after update", async () => {
      const chunk = new Uint8Array(3 * MiB);
      const hash = begin("sha256");
      const expected = createHash("sha256");
      for (let i = 0; i < 4; i++) {
        chunk.fill(i);
        expected.update(chunk);
        await hash.update(chunk);
        assert.equal(chunk.byteLength, 3 * MiB);
      }
      assert.equal(await hash.digest(), `sha256:${expected.digest("hex")}`);
    });

    it("keeps many running hashes apart", async () => {
      const contents = Array.from({ length: 9 }, (_, i) => bytes.subarray(i * 1000, i * 1000 + (i % 3) * MiB + 500));
      const digests = await Promise.all(contents.map((content) => hashOf(begin("sha256"), content, 100_000)));
      assert.deepEqual(
        digests,
        contents.map((content) => digestOf(content)),
      );
    });

    it("can be abandoned at any time, more than once, and others go on", async () => {
      const abandoned = begin("sha256");
      await abandoned.update(bytes.subarray(0, 2 * MiB));
      const other = begin("sha256");
      await other.update(bytes.subarray(0, 2 * MiB));
      abandoned.abandon();
      abandoned.abandon();
      assert.equal(await other.digest(), digestOf(bytes.subarray(0, 2 * MiB)));
      other.abandon();
    });
  });

describe("hashing in place", () => {
  it("gives other work its turn after each MiB, even when all bytes are there already", async () => {
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    const hash = hashInPlace("sha256");
    for (let at = 0; at < 10 * MiB; at += 65536) await hash.update(bytes.subarray(at, at + 65536));
    done = true;
    assert.ok(turns >= 9, `${turns} turns`);
    await hash.digest();
  });
});

describe("hashing in a thread", () => {
  it("takes some without waiting and makes the next byte wait for an answer", async () => {
    const hash = hashInThread("sha256");
    let accepted = 0;
    const feed = async (): Promise<void> => {
      for (let at = 0; at < 10 * MiB; at += MiB / 2) {
        await hash.update(bytes.subarray(at, at + MiB / 2));
        accepted++;
      }
    };
    const fed = feed();
    // Only promise jobs run here, so no answer of the thread can have come in.
    for (let i = 0; i < 100; i++) await Promise.resolve();
    assert.equal(accepted, 1);
    await fed;
    assert.equal(await hash.digest(), digestOf(bytes.subarray(0, 10 * MiB)));
  });

  it("fails the hashes of a thread that ended, and starts another for the next", async () => {
    const hash = hashInThread("sha256");
    const fed = hash.update(new Uint8Array(64 * MiB));
    await Promise.all([
      assert.rejects(fed, /ended early/),
      assert.rejects(hash.digest(), /ended early/),
      closeThreads(),
    ]);
    await assert.rejects(hash.update(bytes), /ended early/);
    await assert.rejects(hash.flush(), /ended early/);
    await assert.rejects(hash.digest(), /ended early/);
    hash.abandon();
    assert.equal(await hashOf(hashInThread("sha256"), bytes, MiB), digestOf(bytes));
  });

  it("keeps the process alive while a digest is awaited, and not after", async () => {
    const module = fileURLToPath(new URL("./in-thread.ts", import.meta.url));
    const script = `
      const { ThreadedHash } = await import(${JSON.stringify(module)});
      const hash = new ThreadedHash({ algorithm: "sha256" });
      await hash.update(new Uint8Array(${3 * MiB}));
      console.log(await hash.digest());`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      timeout: 20_000,
    });
    assert.equal(stdout.trim(), digestOf(new Uint8Array(3 * MiB)));
  });
});

describe("the speed of this processor", () => {
  it("is measured once and answered the same ever after", () => {
    for (const algorithm of ["sha256", "sha512"] as const) assert.equal(hashesFast(algorithm), hashesFast(algorithm));
  });
});
