import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bytesContent, type Content, collect } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { ReplayableContent } from "./replayable-content.ts";

const bytes = new TextEncoder().encode("0123456789");
const whole: Descriptor = { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.byteLength };

/** Content in chunks of three bytes that tells where it was opened and how often it was let go of early. */
const threes = (content: Uint8Array = bytes): Content & { opened: number[]; closed: number } => {
  const source = {
    opened: [] as number[],
    closed: 0,
    open: async function* ({ offset = 0 } = {}) {
      source.opened.push(offset);
      let ended = false;
      try {
        for (let at = offset; at < content.byteLength; at += 3) yield content.subarray(at, at + 3);
        ended = true;
      } finally {
        if (!ended) source.closed++;
      }
    },
  };
  return source;
};

const text = async (content: Content): Promise<string> =>
  new TextDecoder().decode(await collect(content.open(), 1000, "piece"));

const firstOf = async (content: Content): Promise<AsyncIterator<Uint8Array>> => {
  const iterator = content.open()[Symbol.asyncIterator]();
  await iterator.next();
  return iterator;
};

describe("ranges of content", () => {
  test("who comes again while the first bytes are still on their way gets all of them, and who left gets none", async () => {
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    let opened = 0;
    const late: Content = {
      size: whole.size,
      open: async function* () {
        opened++;
        await arrived;
        yield bytes;
      },
    };
    const content = new ReplayableContent(late, whole, undefined);
    // A request is cut before it has sent anything, and is sent again.
    const left = content.range(0).open()[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setImmediate(resolve));
    const again = text(content.range(0));
    await new Promise((resolve) => setImmediate(resolve));
    arrive();
    assert.equal((await left).done, true);
    assert.equal(await again, "0123456789");
    assert.equal(opened, 1);
    await content.close();
  });

  test("follow one another in one reading", async () => {
    const source = threes();
    const content = new ReplayableContent(source, whole, undefined);
    const found = [];
    for (const [start, end] of [
      [0, 4],
      [4, 8],
      [8, 12],
    ] as const) {
      const range = content.range(start, end);
      found.push([await text(range), range.size]);
    }
    assert.deepEqual(found, [
      ["0123", 4],
      ["4567", 4],
      ["89", 2],
    ]);
    assert.deepEqual([source.opened, content.furthest], [[0], 10]);
  });

  test("are read again from anywhere, and by whoever came last", async () => {
    const source = threes();
    const content = new ReplayableContent(source, whole, undefined);
    const stale = await firstOf(content.range(0, 10));
    assert.equal(await text(content.range(2, 5)), "234");
    assert.equal((await stale.next()).done, true);
    assert.equal(await text({ open: () => content.range(2, 8).open({ offset: 3 }) }), "567");
    assert.deepEqual(source.opened, [0, 2]);
    await content.close();
    assert.equal(source.closed, 2);
  });

  test("unknown length: a piece ends where the content does", async () => {
    const source = threes();
    const content = new ReplayableContent(source, undefined, undefined);
    assert.equal(await content.endsAt(0), false);
    assert.equal(await text(content.range(0, 6)), "012345");
    assert.equal(await content.endsAt(6), false);
    const rest = content.range(6, 100);
    assert.deepEqual([await text(rest), rest.size], ["6789", undefined]);
    assert.equal(await content.endsAt(10), true);
    assert.deepEqual(source.opened, [0]);
  });

  test("nothing at all", async () => {
    const none: Descriptor = { ...whole, digest: digestOf(new Uint8Array(0)), size: 0 };
    assert.equal(await text(new ReplayableContent(threes(new Uint8Array(0)), none, undefined).range(0)), "");
    assert.equal(await new ReplayableContent(bytesContent(new Uint8Array(0)), undefined, undefined).endsAt(0), true);
  });

  for (const [name, size] of [
    ["more", 9],
    ["less", 11],
  ] as const)
    test(`${name} than promised stops before the last bytes are out, and for good`, async () => {
      const content = new ReplayableContent(threes(), { ...whole, size }, undefined);
      let sent = 0;
      const read = async (): Promise<void> => {
        for await (const chunk of content.range(0).open()) sent += chunk.byteLength;
      };
      await assert.rejects(read(), (error) => isDrayError(error, "SIZE_MISMATCH"));
      assert.ok(sent < size);
      assert.throws(
        () => content.throwIfBroken(),
        (error) => isDrayError(error, "SIZE_MISMATCH"),
      );
      await assert.rejects(read(), (error) => isDrayError(error, "SIZE_MISMATCH"));
    });

  test("a source that finds itself wrong at the end stops before the last bytes are out", async () => {
    const fault = new Error("wrong digest");
    const source: Content = {
      open: async function* () {
        yield bytes;
        throw fault;
      },
    };
    const content = new ReplayableContent(source, whole, undefined);
    await assert.rejects(text(content.range(0)), fault);
    assert.equal(content.furthest, 0);
    assert.throws(() => content.throwIfBroken(), fault);
  });

  test("a source that gave up after trying again is not tried again by whoever sends", async () => {
    const cut = new DrayError("NETWORK", "the source was cut off", { retryable: true });
    const source: Content = {
      open: async function* () {
        yield bytes.subarray(0, 3);
        throw cut;
      },
    };
    const content = new ReplayableContent(source, whole, undefined);
    for (let attempt = 1; attempt <= 2; attempt++)
      await assert.rejects(text(content.range(0)), (error) => isDrayError(error, "NETWORK") && !error.retryable);
    assert.throws(
      () => content.throwIfBroken(),
      (error) => error === cut,
    );
  });

  test("a signal reaches the content, and is let go of afterwards", async () => {
    const stop = new AbortController();
    let given: AbortSignal | undefined;
    const source: Content = {
      open: async function* ({ signal } = {}) {
        given = signal;
        yield bytes.subarray(0, 1);
        await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
      },
    };
    const content = new ReplayableContent(source, whole, stop.signal);
    const reading = text(content.range(0));
    setImmediate(() => stop.abort());
    await assert.rejects(reading, (error) => isDrayError(error, "ABORTED"));
    assert.equal(given?.aborted, true);
    await content.close();
  });

  test("close ends a reading that waits for bytes", async () => {
    const source: Content = {
      open: async function* ({ signal } = {}) {
        await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
        yield bytes;
      },
    };
    const content = new ReplayableContent(source, whole, undefined);
    const reading = assert.rejects(text(content.range(0)));
    await new Promise((resolve) => setImmediate(resolve));
    await content.close();
    await reading;
    content.throwIfBroken();
  });
});
