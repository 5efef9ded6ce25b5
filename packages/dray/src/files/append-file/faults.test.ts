import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { isDrayError } from "../../errors.ts";
import { type DigestAlgorithm, digestOf } from "../../oci/index.ts";
import { type AppendFile, type AppendTarget, appendFile } from "./index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Fake extends AppendTarget {
  bytes: Uint8Array;
  /** What the next writes do: take so many bytes, or fail. */
  plan: (number | Error)[];
  truncates: (Error | undefined)[];
  /** Writes that were on their way at once. */
  most: number;
  open: boolean;
}

/** A file in memory with a plan of what goes wrong. */
const fake = (initial: Uint8Array = new Uint8Array(0)): Fake => {
  let writing = 0;
  const sink: Fake = {
    bytes: initial,
    plan: [],
    truncates: [],
    most: 0,
    open: true,
    stat: async () => ({ size: sink.bytes.byteLength }),
    read: async (into, offset, length, position) => {
      // Not all that was asked for, as a file system may.
      const at = position ?? 0;
      const part = sink.bytes.subarray(at, at + Math.min(length, 60_000));
      into.set(part, offset);
      return { bytesRead: part.byteLength };
    },
    write: async (buffer, offset, length, at) => {
      const position = at ?? 0;
      const bytes = buffer.subarray(offset, offset + length);
      assert.equal(position <= sink.bytes.byteLength, true, "a gap");
      sink.most = Math.max(sink.most, ++writing);
      await new Promise(setImmediate);
      writing--;
      const next = sink.plan.shift() ?? bytes.byteLength;
      const taken = typeof next === "number" ? Math.min(next, bytes.byteLength) : bytes.byteLength >> 1;
      const grown = new Uint8Array(Math.max(sink.bytes.byteLength, position + taken));
      grown.set(sink.bytes);
      grown.set(bytes.subarray(0, taken), position);
      sink.bytes = grown;
      if (typeof next !== "number") throw next;
      return { bytesWritten: taken };
    },
    truncate: async (length) => {
      const error = sink.truncates.shift();
      if (error !== undefined) throw error;
      sink.bytes = sink.bytes.slice(0, length);
    },
    sync: async () => {},
    close: async () => {
      sink.open = false;
    },
  };
  return sink;
};

const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
const isFull = (error: unknown): boolean => isDrayError(error, "DISK") && error.message.includes("(ENOSPC)");

const receiver = (sink: AppendTarget, algorithm: DigestAlgorithm): Promise<AppendFile> =>
  appendFile(sink, "a file", { algorithm });
/** Goes back to what was told, as whoever told it does. */
const cutBack = (file: AppendFile): Promise<void> => file.truncate(file.size);

describe("a file that grows, whatever fails", () => {
  it("goes on after writes that took a part, one at a time", async () => {
    const sink = fake();
    const bytes = seededBytes(0, 700_000);
    sink.plan.push(1, 5000, 131_072, 7);
    const received = await receiver(sink, "sha256");
    for (let at = 0; at < bytes.byteLength; at += 40_000) await received.append(bytes.subarray(at, at + 40_000));
    assert.equal(await received.digest("sha256"), digestOf(bytes));
    assert.equal(Buffer.compare(sink.bytes, bytes), 0);
    assert.equal(sink.most, 1);
    await received.close();
    assert.equal(sink.open, false);
  });

  for (const [what, plan] of [
    ["failed", [full]],
    ["took nothing", [0]],
    ["took a part and then failed", [10, full]],
  ] as const)
    it(`can be cut back to the size it told when a write ${what}, and goes on`, async () => {
      const sink = fake(text("there before, "));
      const received = await receiver(sink, "sha256");
      await received.append(text("told, "));
      const told = await received.flush();
      sink.plan.push(...plan);
      await received.append(seededBytes(0, 1000));
      for (let i = 0; i < 2; i++) await assert.rejects(received.flush(), isFull);
      assert.equal(received.size, told);
      await cutBack(received);
      assert.equal(new TextDecoder().decode(sink.bytes), "there before, told, ");
      await received.append(text("and the rest"));
      const whole = text("there before, told, and the rest");
      assert.equal(await received.flush(), whole.byteLength);
      assert.equal(await received.digest("sha256"), digestOf(whole));
      assert.equal(await received.digest("sha512"), digestOf(whole, "sha512"));
      assert.equal(Buffer.compare(sink.bytes, whole), 0);
      await received.close();
    });

  it("takes nothing behind a write that failed until it is cut", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    sink.plan.push(full);
    let failed = 0;
    for (let i = 0; i < 20; i++)
      await received.append(seededBytes(0, 131_072)).catch((error: unknown) => {
        assert.ok(isFull(error));
        failed++;
      });
    assert.ok(failed >= 12, `${failed} rejected`);
    await assert.rejects(received.flush(), isFull);
    await cutBack(received);
    assert.equal(await received.flush(), 0);
    assert.equal(sink.bytes.byteLength, 0);
    await received.append(text("abc"));
    assert.equal(await received.digest("sha256"), digestOf(text("abc")));
    await received.close();
  });

  it("can be cut back once more where that failed as well, and takes nothing before it is", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    await received.append(text("told"));
    await received.flush();
    sink.plan.push(full);
    sink.truncates.push(new Error("EIO"), new Error("EIO"));
    await received.append(text("lost"));
    await assert.rejects(received.flush(), isFull);
    for (let i = 0; i < 2; i++) {
      await assert.rejects(cutBack(received), { code: "DISK" });
      await assert.rejects(received.append(text("x")), isFull);
      await assert.rejects(received.digest("sha256"), isFull);
      await assert.rejects(received.flush(), isFull);
    }
    await cutBack(received);
    assert.equal(await received.flush(), 4);
    assert.equal(await received.digest("sha256"), digestOf(text("told")));
    await received.close();
  });

  it("closes its file also when the last bytes cannot be written", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    await received.append(text("told"));
    await received.flush();
    await received.append(text("lost"));
    sink.plan.push(full);
    await assert.rejects(received.close(), isFull);
    assert.equal(sink.open, false);
    // A beginning of what was appended, without holes.
    assert.equal(new TextDecoder().decode(sink.bytes), "toldlo");
  });

  it("closes its file when what is there cannot be read", async () => {
    const sink = fake(text("there"));
    sink.read = async () => {
      throw full;
    };
    await assert.rejects(receiver(sink, "sha256"), isFull);
    assert.equal(sink.open, false);
  });

  it("says so when somebody else cut its file", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    await received.append(seededBytes(0, 1000));
    await received.flush();
    sink.bytes = sink.bytes.slice(0, 100);
    await assert.rejects(received.digest("sha512"), (error) => isDrayError(error, "DISK"));
    await received.close();
  });

  it("gives other work its turn", async () => {
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    const sink: AppendTarget = { ...fake(), write: async (_, _offset, length) => ({ bytesWritten: length }) };
    const received = await receiver(sink, "sha256");
    const chunk = new Uint8Array(64 * 1024);
    for (let i = 0; i < 160; i++) await received.append(chunk);
    done = true;
    assert.ok(turns >= 9, `${turns} turns`);
    await received.close();
  });
});
