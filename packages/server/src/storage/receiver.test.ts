import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import { digestOf } from "dray/oci";
import { type ByteSink, receiver } from "./append-file.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const filled = (length: number, seed = 0): Uint8Array => new Uint8Array(length).map((_, i) => (i * 31 + seed) >>> 2);

interface Fake extends ByteSink {
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
    size: async () => sink.bytes.byteLength,
    read: async (into, position) => {
      // Not all that was asked for, as a file system may.
      const part = sink.bytes.subarray(position, position + Math.min(into.byteLength, 60_000));
      into.set(part);
      return part.byteLength;
    },
    write: async (bytes, position) => {
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
      return taken;
    },
    truncate: async (length) => {
      const error = sink.truncates.shift();
      if (error !== undefined) throw error;
      sink.bytes = sink.bytes.slice(0, length);
    },
    close: async () => {
      sink.open = false;
    },
  };
  return sink;
};

const full = new Error("ENOSPC: no space left on device");

describe("a receiver", () => {
  it("goes on after writes that took a part, one at a time", async () => {
    const sink = fake();
    const bytes = filled(700_000);
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
    it(`cuts back to the size it told when a write ${what}, rejects once, and goes on`, async () => {
      const sink = fake(text("there before, "));
      const received = await receiver(sink, "sha256");
      await received.append(text("told, "));
      const told = await received.drain();
      sink.plan.push(...plan);
      await received.append(filled(1000));
      await assert.rejects(received.drain(), plan.includes(full as never) ? full : { code: "DISK" });
      assert.equal(received.size, told);
      assert.equal(new TextDecoder().decode(sink.bytes), "there before, told, ");
      await received.append(text("and the rest"));
      const whole = text("there before, told, and the rest");
      assert.equal(await received.drain(), whole.byteLength);
      assert.equal(await received.digest("sha256"), digestOf(whole));
      assert.equal(await received.digest("sha512"), digestOf(whole, "sha512"));
      assert.equal(Buffer.compare(sink.bytes, whole), 0);
      await received.close();
    });

  it("takes nothing behind a write that failed until that was told", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    sink.plan.push(full);
    let failed = 0;
    for (let i = 0; i < 10; i++)
      await received.append(filled(131_072)).catch((error: unknown) => {
        assert.equal(error, full);
        failed++;
      });
    assert.ok(failed >= 8, `${failed} rejected`);
    await assert.rejects(received.drain(), full);
    assert.equal(await received.drain(), 0);
    assert.equal(sink.bytes.byteLength, 0);
    await received.append(text("abc"));
    assert.equal(await received.digest("sha256"), digestOf(text("abc")));
    await received.close();
  });

  it("tries again to cut back where that failed as well, and takes nothing before it has", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    await received.append(text("told"));
    await received.drain();
    sink.plan.push(full);
    sink.truncates.push(new Error("EIO"), new Error("EIO"));
    await received.append(text("lost"));
    await assert.rejects(received.drain(), full);
    await assert.rejects(received.append(text("x")), full);
    await assert.rejects(received.digest("sha256"), full);
    await assert.rejects(received.drain(), full);
    assert.equal(await received.drain(), 4);
    assert.equal(await received.digest("sha256"), digestOf(text("told")));
    await received.close();
  });

  it("closes its sink also when the last bytes cannot be written, and cuts them off", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    await received.append(text("told"));
    await received.drain();
    await received.append(text("lost"));
    sink.plan.push(full);
    await assert.rejects(received.close(), full);
    assert.equal(sink.open, false);
    assert.equal(new TextDecoder().decode(sink.bytes), "told");
  });

  it("closes its sink when what is there cannot be read", async () => {
    const sink = fake(text("there"));
    sink.read = async () => {
      throw full;
    };
    await assert.rejects(receiver(sink, "sha256"), full);
    assert.equal(sink.open, false);
  });

  it("says so when somebody else cut its file", async () => {
    const sink = fake();
    const received = await receiver(sink, "sha256");
    await received.append(filled(1000));
    await received.drain();
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
    const sink: ByteSink = { ...fake(), write: async (bytes) => bytes.byteLength, close: async () => {} };
    const received = await receiver(sink, "sha256");
    const chunk = new Uint8Array(64 * 1024);
    for (let i = 0; i < 160; i++) await received.append(chunk);
    done = true;
    assert.ok(turns >= 9, `${turns} turns`);
    await received.close();
  });
});
