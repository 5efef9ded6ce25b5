/** Requests over real connections, as operators see them: counted to the end, logged with who asked, also when the client leaves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Handler } from "dray/http";
import { type Listener, listen } from "../http-server/index.ts";
import { memoryBody, type ServedBody } from "../response/index.ts";
import { accessLog } from "./access-log.ts";
import { HttpMetrics, MetricsPage, promRegistry } from "./metrics/index.ts";
import { observe } from "./observe.ts";

const block = 256 * 1024;

/** As a blob's: read by position, much more than a socket holds. */
const large = (blocks: number): ServedBody => ({
  length: blocks * block,
  pour: async (write) => {
    for (let at = 0; at < blocks; at++) await write(new Uint8Array(block));
  },
  chunks: (async function* () {})(),
  discard: async () => {},
});

const handler: Handler = async ({ target, method, body }) => {
  if (body !== undefined && "chunks" in body) for await (const chunk of body.chunks) void chunk;
  const answer = target === "/large" ? large(400) : target === "/blob" ? large(4) : memoryBody(new Uint8Array(700));
  const length: [string, string] = ["Content-Length", String(answer.length)];
  return {
    status: 200,
    headers: [length],
    url: target,
    body: method === "HEAD" ? memoryBody(new Uint8Array(0)) : answer,
  };
};

let server: Listener;
let page: MetricsPage;
const lines: string[] = [];
before(async () => {
  page = new MetricsPage(await promRegistry({ processes: false }));
  const metrics = new HttpMetrics("http");
  page.add(metrics.families());
  const observers = [metrics.observer(() => "blob"), accessLog("json", { write: (line) => lines.push(line) })];
  server = await listen(observe(observers)(handler));
});
after(() => server.close());
beforeEach(() => lines.splice(0));

const ask = (method: string, path: string): ClientRequest =>
  request({ host: "127.0.0.1", port: server.port, method, path, agent: false }).on("error", () => {});
const answered = async (asked: ClientRequest): Promise<IncomingMessage> => {
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return response;
};
/** The line of a request, which may be written a moment after its client has everything. */
const logged = async (): Promise<Record<string, unknown>> => {
  for (let tries = 0; lines.length === 0 && tries < 1000; tries++) await sleep(5);
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? "{}");
};
const inFlight = async (): Promise<string | undefined> =>
  /http_in_flight_requests\{handler="blob"\} (\d+)/.exec(await page.text())?.[1];

for (const [method, path, received, sent] of [
  ["GET", "/", 0, 700],
  ["GET", "/blob", 0, 4 * block],
  ["HEAD", "/blob", 0, 0],
  ["PUT", "/", 3 * block, 700],
] as const) {
  test(`${method} ${path} is counted whole`, async () => {
    const asked = ask(method, path);
    asked.end(received === 0 ? undefined : new Uint8Array(received));
    const response = await answered(asked);
    response.resume();
    await once(response, "end");
    const line = await logged();
    assert.deepEqual([line["received"], line["sent"], line["status"], line["whole"]], [received, sent, 200, undefined]);
    assert.match(String(line["peer"]), /^127\.0\.0\.1:\d+$/);
    assert.equal(await inFlight(), "0");
  });
}

test("a client that leaves in the middle is logged with what it took, and is in flight no more", async () => {
  const asked = ask("GET", "/large");
  asked.end();
  const response = await answered(asked);
  await once(response, "data");
  assert.equal(await inFlight(), "1");
  response.destroy();
  const line = await logged();
  assert.equal(line["whole"], false);
  assert.ok((line["sent"] as number) < 400 * block, String(line["sent"]));
  assert.match(String(line["peer"]), /^127\.0\.0\.1:\d+$/);
  assert.equal(await inFlight(), "0");
});

test("a client that leaves in the middle of its body is logged as one that left", async () => {
  const asked = ask("PUT", "/");
  asked.setHeader("Content-Length", String(10 * block));
  asked.write(new Uint8Array(block));
  while ((await inFlight()) !== "1") await sleep(1);
  asked.destroy();
  const line = await logged();
  assert.deepEqual([line["status"], line["whole"]], [499, false]);
  assert.ok((line["received"] as number) <= block);
  assert.match(String(line["peer"]), /^127\.0\.0\.1:\d+$/);
  assert.equal(await inFlight(), "0");
});
