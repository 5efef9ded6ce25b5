import assert from "node:assert/strict";
import { test } from "node:test";
import { DrayError } from "../errors.ts";
import { mediaTypes } from "../oci/index.ts";
import { bytesContent, collect } from "./bytes.ts";
import { memoryStore } from "./memory.ts";
import { readAhead } from "./read-ahead.ts";
import type { ReadableStore } from "./store.ts";

const text = new TextEncoder().encode("hello world");

/** A store that tells what is read of it: from which byte, and whether that was left before its end. */
const watched = async () => {
  const store = memoryStore();
  const descriptor = await store.ingest(bytesContent(text), { mediaType: mediaTypes.ociLayer });
  const seen: string[] = [];
  const read: ReadableStore["read"] = async function* (wanted, options = {}) {
    seen.push(`read ${options.offset ?? 0}`);
    try {
      for await (const chunk of store.read(wanted, options))
        for (const half of [chunk.subarray(0, 4), chunk.subarray(4)]) {
          options.signal?.throwIfAborted();
          yield half;
        }
      seen.push("end");
    } finally {
      seen.push("left");
    }
  };
  return { store: { resolve: (name: string) => store.resolve(name), read }, descriptor, seen };
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a blob is asked for at once, and whoever reads it from its beginning gets that", async () => {
  const { store, descriptor, seen } = await watched();
  const ahead = readAhead(store, descriptor, {});
  await turn();
  assert.deepEqual(seen, ["read 0"]);
  assert.deepEqual(await collect(ahead.source.read(descriptor), 100, "it"), text);
  await ahead.release();
  assert.deepEqual(seen, ["read 0", "end", "left"]);
  // Again, and from elsewhere, it is read anew.
  assert.deepEqual(await collect(ahead.source.read(descriptor), 100, "it"), text);
  assert.deepEqual(seen.length, 6);
});

test("who wants another part reads that, and what was ahead is let go of", async () => {
  const { store, descriptor, seen } = await watched();
  const ahead = readAhead(store, descriptor, {});
  assert.deepEqual(await collect(ahead.source.read(descriptor, { offset: 6 }), 100, "it"), text.subarray(6));
  await ahead.release();
  assert.deepEqual(seen, ["read 0", "read 6", "end", "left", "left"]);
});

test("what goes wrong is heard by who reads, and by nobody else", async () => {
  const { descriptor } = await watched();
  const gone = { next: () => Promise.reject(new DrayError("NOT_FOUND", "gone")) };
  const fails: Pick<ReadableStore, "read"> = { read: () => ({ [Symbol.asyncIterator]: () => gone }) };
  const store = { ...memoryStore(), ...fails };
  await readAhead(store, descriptor, {}).release();
  await turn();
  await assert.rejects(collect(readAhead(store, descriptor, {}).source.read(descriptor), 100, "it"), /gone/);
});

test("both signals end it", async () => {
  for (const which of ["begun with", "read with"] as const) {
    const { store, descriptor } = await watched();
    const stop = new AbortController();
    const signal = stop.signal;
    const ahead = readAhead(store, descriptor, which === "begun with" ? { signal } : {});
    const chunks = ahead.source.read(descriptor, which === "read with" ? { signal } : {})[Symbol.asyncIterator]();
    assert.equal((await chunks.next()).done, false);
    stop.abort(new Error("enough"));
    await assert.rejects(chunks.next(), which);
  }
});
