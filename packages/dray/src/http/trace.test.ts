import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { bytesBody, bytesContent } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type TraceRecord, trace } from "./trace.ts";
import type { Handler, HttpRequest } from "./types.ts";

test("a record says what went over the wire, and nothing secret", async () => {
  const clock = fakeClock(1_000_000);
  const records: TraceRecord[] = [];
  const handler: Handler = async () => {
    await clock.sleep(40);
    const headers: [string, string][] = [
      ["Content-Length", "120"],
      ["Set-Cookie", "secret"],
      ["Location", "/v2/a/blobs/uploads/1?_state=secret"],
    ];
    return { status: 202, headers, url: "https://r.example/", body: bytesBody(Buffer.from("secret")) };
  };
  const request: HttpRequest = {
    method: "PATCH",
    origin: "https://r.example",
    target: "/v2/a/blobs/uploads/1?_state=secret",
    headers: [
      ["Authorization", "Bearer secret"],
      ["X-Api-Key", "secret"],
    ],
    body: bytesContent(Buffer.from("secret bytes")),
  };
  await clock.run(trace((record) => records.push(record), { clock })(handler)(request));
  assert.deepEqual(records, [
    {
      method: "PATCH",
      url: "https://r.example/v2/a/blobs/uploads/1?_state=REDACTED",
      requestHeaders: [
        ["Authorization", "Bearer REDACTED"],
        ["X-Api-Key", "REDACTED"],
      ],
      sent: 12,
      started: 1_000_000,
      duration: 40,
      status: 202,
      responseHeaders: [
        ["Content-Length", "120"],
        ["Set-Cookie", "REDACTED"],
        ["Location", "/v2/a/blobs/uploads/1?_state=REDACTED"],
      ],
      received: 120,
    },
  ]);
  assert.equal(JSON.stringify(records).includes("secret"), false);
});

test("a failure is a record, too, and goes on", async () => {
  const records: TraceRecord[] = [];
  const cut = new DrayError("NETWORK", "cut");
  const send = trace((record) => records.push(record), { clock: fakeClock(5) })(async () => Promise.reject(cut));
  await assert.rejects(send({ method: "GET", origin: "https://r.example", target: "/v2/", headers: [] }), cut);
  assert.deepEqual(records, [
    {
      method: "GET",
      url: "https://r.example/v2/",
      requestHeaders: [],
      sent: 0,
      started: 5,
      duration: 0,
      error: { code: "NETWORK", message: "cut" },
    },
  ]);
});
