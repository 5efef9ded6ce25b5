import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesBody, collect } from "dray/content";
import type { HttpRequest, HttpResponse } from "dray/http";
import { memoryBody, type ReceivedBody, type ServedBody } from "../response/index.ts";
import { type FinishedRequest, factsOf, type Observer, observe } from "./observe.ts";

const request = (over: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  origin: "http://r",
  target: "/v2/",
  headers: [],
  ...over,
});
const answer = (body: ServedBody, status = 200): HttpResponse => ({ status, headers: [], url: "/v2/", body });

const recorder = (): { seen: FinishedRequest[]; observer: Observer } => {
  const seen: FinishedRequest[] = [];
  return { seen, observer: () => (finished) => seen.push(finished) };
};
const clock = (): (() => number) => {
  let time = 0;
  return () => (time += 10);
};

/** A body of three parts that is read by position, as a blob's. */
const poured = (fail?: Error): ServedBody => ({
  length: 6,
  pour: async (write) => {
    for (const part of [
      [1, 2],
      [3, 4],
      [5, 6],
    ]) {
      if (fail !== undefined && part[0] === 5) throw fail;
      await write(new Uint8Array(part));
    }
  },
  chunks: bytesBody(new Uint8Array(6)).chunks,
  discard: async () => {},
});

test("without observers a handler is left as it is", () => {
  const handler = async (): Promise<HttpResponse> => answer(memoryBody(new Uint8Array(1)));
  assert.equal(observe([])(handler), handler);
});

test("a body in memory is passed on untouched and counts as sent at once", async () => {
  const { seen, observer } = recorder();
  const body = memoryBody(new Uint8Array(7));
  const response = await observe([observer], { now: clock() })(async () => answer(body))(request());
  assert.equal(response.body, body);
  assert.deepEqual(
    seen.map(({ status, received, sent, duration, whole }) => ({ status, received, sent, duration, whole })),
    [{ status: 200, received: 0, sent: 7, duration: 10, whole: true }],
  );
});

test("a body that is poured ends when it has left", async () => {
  const { seen, observer } = recorder();
  const response = await observe([observer])(async () => answer(poured()))(request());
  assert.equal(seen.length, 0);
  const body: ServedBody = response.body;
  let left = 0;
  await body.pour?.(async (chunk) => {
    left += chunk.byteLength;
    // As a socket does, which may give the memory away.
    structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
  });
  assert.deepEqual([left, body.length], [6, 6]);
  await body.discard();
  assert.deepEqual(
    seen.map(({ sent, whole }) => [sent, whole]),
    [[6, true]],
  );
});

test("a body that breaks off is told with what had left", async () => {
  const { seen, observer } = recorder();
  const handler = observe([observer])(async () => answer(poured(new Error("disk"))));
  const broken: ServedBody = (await handler(request())).body;
  await assert.rejects(async () => broken.pour?.(async () => {}), /disk/);
  const refused: ServedBody = (await handler(request())).body;
  await assert.rejects(async () => refused.pour?.(() => Promise.reject(new Error("gone"))), /gone/);
  await (await handler(request())).body.discard();
  for await (const chunk of (await handler(request())).body.chunks) {
    assert.equal(chunk.byteLength, 6);
    break;
  }
  assert.deepEqual(
    seen.map(({ sent, whole }) => [sent, whole]),
    [
      [4, false],
      [0, false],
      [0, false],
      [0, false],
    ],
  );
});

test("a body read by chunks is counted", async () => {
  const { seen, observer } = recorder();
  const response = await observe([observer])(async () => answer({ ...poured() }))(request());
  assert.equal((await collect(response.body.chunks, 10, "it")).byteLength, 6);
  assert.deepEqual([seen[0]?.sent, seen[0]?.whole], [6, true]);
});

/** The body of a request whose bytes come in parts of these sizes. */
const coming = (sizes: readonly number[]): ReceivedBody => {
  const body = { received: 0, chunks: parts(), discard: async () => {} };
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (const size of sizes) {
      body.received += size;
      yield new Uint8Array(size);
    }
  }
  return body;
};

test("what was read of a request's body is counted, also when the handler fails", async () => {
  const { seen, observer } = recorder();
  const handler = observe([observer])(async ({ body }) => {
    if (body !== undefined && "chunks" in body) await collect(body.chunks, 100, "it");
    throw new Error("later");
  });
  await assert.rejects(handler(request({ method: "PUT", body: coming([4, 5]) })), /later/);
  await assert.rejects(handler(request({ method: "PUT", body: coming([6, 100]) })), /larger/);
  await assert.rejects(handler(request({ method: "PUT", body: bytesBody(new Uint8Array(9)) })), /later/);
  await assert.rejects(handler(request({ method: "PUT", signal: AbortSignal.abort() })), /later/);
  assert.deepEqual(
    seen.map(({ status, received, whole }) => [status, received, whole]),
    [
      [500, 9, false],
      [500, 106, false],
      // Of no socket.
      [500, 0, false],
      [499, 0, false],
    ],
  );
});

test("facts found by a handler reach the observers through copies of the request", async () => {
  const { seen, observer } = recorder();
  const handler = observe([observer])(async (asked) => {
    const copy = { ...asked, target: "/elsewhere" };
    factsOf({ ...copy }).principal = "ann";
    return answer(memoryBody(new Uint8Array(0)));
  });
  await handler(request({ body: bytesBody(new Uint8Array(1)) }));
  await handler(request());
  assert.deepEqual(
    seen.map((finished) => factsOf(finished.request).principal),
    ["ann", "ann"],
  );
});
