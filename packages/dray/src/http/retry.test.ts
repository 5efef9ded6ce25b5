import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { bytesBody, bytesContent, type ProgressEvent } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { retry } from "./retry.ts";
import type { RetryOptions } from "./retry-budget.ts";
import type { Handler, HeaderPairs, HttpRequest } from "./types.ts";

type Outcome = number | DrayError | readonly [status: number, headers: HeaderPairs];

const network = new DrayError("NETWORK", "cut", { retryable: true });
const tls = new DrayError("TLS", "unknown authority");

/** Answers one outcome after the other, the last for ever; counts what was sent and what was thrown away. */
const script = (...outcomes: readonly Outcome[]) => {
  const seen = { requests: 0, discarded: 0, bodies: [] as string[] };
  const handler: Handler = async (request) => {
    const outcome = outcomes[Math.min(seen.requests++, outcomes.length - 1)];
    if (request.body !== undefined && "open" in request.body)
      for await (const chunk of request.body.open()) seen.bodies.push(Buffer.from(chunk).toString());
    if (outcome instanceof DrayError) throw outcome;
    const [status, headers] = typeof outcome === "object" ? outcome : [outcome ?? 0, []];
    const body = bytesBody(new Uint8Array());
    const discard = async () => void seen.discarded++;
    return { status, headers, url: "https://r.example/v2/", body: { ...body, discard } };
  };
  return { seen, handler };
};

const get: HttpRequest = { method: "GET", origin: "https://r.example", target: "/v2/?token=secret", headers: [] };

const run = async (handler: Handler, request: HttpRequest = get, options: RetryOptions = {}) => {
  const clock = fakeClock();
  const start = clock.now();
  const events: ProgressEvent[] = [];
  const send = retry({ clock, ...options })(handler);
  const context = { ...request.context, onEvent: (event: ProgressEvent) => events.push(event) };
  const outcome = await clock.run(
    send({ ...request, context }).then(
      ({ status }) => status,
      (error: DrayError) => error,
    ),
  );
  return { outcome, waited: clock.now() - start, events };
};

test("what may pass is asked again, and what will not is not", async () => {
  const table: readonly [string, readonly Outcome[], number | DrayError, requests: number, discarded: number][] = [
    ["good at once", [200], 200, 1, 0],
    ["not found", [404], 404, 1, 0],
    ["unauthorised", [401], 401, 1, 0],
    ["bad gateway, then good", [502, 200], 200, 2, 1],
    ["every passing status", [408, 429, 500, 503, 200], 200, 5, 4],
    ["nginx and Cloudflare", [499, 522, 504, 200], 200, 4, 3],
    ["cut, then good", [network, network, 200], 200, 3, 0],
    ["Cloudflare's others", [520, 521, 523, 524, 200], 200, 5, 4],
    ["Cloudflare without an origin", [530, 200], 200, 2, 1],
    ["never good", [503], 503, 5, 4],
    ["always cut", [network], network, 5, 0],
    ["not trusted", [tls], tls, 1, 0],
    ["501", [501], 501, 1, 0],
  ];
  for (const [name, outcomes, expected, requests, discarded] of table) {
    const { handler, seen } = script(...outcomes);
    assert.equal((await run(handler)).outcome, expected, name);
    assert.deepEqual([seen.requests, seen.discarded], [requests, discarded], name);
  }
});

test("Retry-After wins over our own delay, and a wait that is too long is the caller's", async () => {
  const after = (value: string): Outcome => [503, [["Retry-After", value]]];
  assert.equal((await run(script(after("7"), 200).handler)).waited, 7_000);
  assert.equal((await run(script(after("0.0001"), 200).handler)).waited, 1_000);
  // Half of the jitter is taken off at a chance of one half.
  assert.equal((await run(script(503, 503, 200).handler)).waited, 375 + 750);
  const long = script(after("3600"), 200);
  assert.deepEqual([(await run(long.handler)).outcome, long.seen.requests, long.seen.discarded], [503, 1, 0]);

  const refused = (retryAfter: number): DrayError =>
    new DrayError("REGISTRY", "no token", { retryable: true, retryAfter });
  assert.equal((await run(script(refused(7), refused(0), 200).handler)).waited, 8_000);
  const never = script(refused(3_600), 200);
  assert.deepEqual([((await run(never.handler)).outcome as DrayError).message, never.seen.requests], ["no token", 1]);
});

test("only what can be sent again is sent again", async () => {
  const content = script(502, network, 200);
  await run(content.handler, { ...get, method: "PUT", body: bytesContent(Buffer.from("bytes")) });
  assert.deepEqual(content.seen.bodies, ["bytes", "bytes", "bytes"]);

  const once: readonly [string, Partial<HttpRequest>][] = [
    ["a body", { method: "PUT", body: bytesBody(Buffer.from("bytes")) }],
    ["not repeatable", { method: "PATCH", body: bytesContent(Buffer.from("bytes")), context: { repeatable: false } }],
  ];
  for (const [name, request] of once) {
    const [answered, cut] = [script(502), script(network)];
    assert.equal((await run(answered.handler, { ...get, ...request })).outcome, 502, name);
    assert.equal((await run(cut.handler, { ...get, ...request })).outcome, network, name);
    assert.deepEqual([answered.seen.requests, answered.seen.discarded, cut.seen.requests], [1, 0, 1], name);
  }

  const probe = script(network, 503, 200);
  assert.equal((await run(probe.handler, { ...get, context: { retry: false } })).outcome, 503);
});

test("each repetition is told, without secrets", async () => {
  const { events } = await run(script(network, 503, 200).handler);
  assert.deepEqual(events, [
    {
      type: "retry",
      registry: "r.example",
      what: "GET https://r.example/v2/?token=REDACTED",
      attempt: 1,
      delay: 375,
      reason: "cut",
    },
    {
      type: "retry",
      registry: "r.example",
      what: "GET https://r.example/v2/?token=REDACTED",
      attempt: 2,
      delay: 750,
      reason: "r.example answered 503",
    },
  ]);
  const named = await run(script(503, 200).handler, { ...get, context: { reference: "r.example/a:1" } });
  assert.equal(named.events[0]?.type === "retry" && named.events[0].what, "r.example/a:1");
});

test("a wait ends with the caller's signal, and what is no fault of the network is thrown at once", async () => {
  const clock = fakeClock();
  const cancel = new AbortController();
  const pending = retry({ clock })(script(503).handler)({ ...get, signal: cancel.signal });
  await clock.advance(1);
  assert.equal(clock.sleeping, 1);
  cancel.abort();
  await assert.rejects(pending, (error) => isDrayError(error, "ABORTED"));
  assert.equal(clock.sleeping, 0);

  // Cancelled over a fault elsewhere, which would pass: nothing is tried again, and nobody hears that it is.
  const stop = new AbortController();
  const events: ProgressEvent[] = [];
  const context = { onEvent: (event: ProgressEvent) => events.push(event) };
  const cancelled: Handler = async () => {
    stop.abort(network);
    throw network;
  };
  await assert.rejects(retry({ clock })(cancelled)({ ...get, signal: stop.signal, context }), network);
  assert.deepEqual(events, []);

  const broken = new TypeError("a bug");
  await assert.rejects(retry({ clock })(async () => Promise.reject(broken))(get), broken);
});
