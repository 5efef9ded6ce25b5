import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest } from "dray/http";
import { type AccessFormat, accessLog } from "./access-log.ts";
import type { FinishedRequest } from "./observe.ts";
import { factsOf } from "./observe.ts";

const finished = (over: Partial<HttpRequest> = {}, rest: Partial<FinishedRequest> = {}): FinishedRequest => ({
  request: {
    method: "GET",
    origin: "http://r",
    target: "/v2/a/manifests/1",
    peer: "10.0.0.7:51000",
    headers: [
      ["User-Agent", "docker/27.0"],
      ["Authorization", "Basic YW5uOnNlY3JldA=="],
      ["Cookie", "session=secret"],
      ["X-Request-Id", "abc"],
    ],
    ...over,
  },
  status: 200,
  headers: [["Set-Cookie", "secret"]],
  received: 5,
  sent: 1500,
  duration: 1.23456,
  whole: true,
  ...rest,
});

const written = (format: AccessFormat, one: FinishedRequest): string => {
  const lines: string[] = [];
  const observer = accessLog(format, { write: (line) => lines.push(line) });
  observer(one.request)(one);
  assert.equal(lines.length, 1);
  return lines[0] ?? "";
};

test("a line of JSON says who did what, how it went, how much and how long", () => {
  const one = finished();
  factsOf(one.request).principal = "ann";
  const line = written("json", one);
  const { time, ...rest } = JSON.parse(line);
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, {
    level: "info",
    id: "abc",
    peer: "10.0.0.7:51000",
    principal: "ann",
    method: "GET",
    target: "/v2/a/manifests/1",
    status: 200,
    received: 5,
    sent: 1500,
    duration: 1.235,
    agent: "docker/27.0",
    msg: "request",
  });
  const { "@timestamp": moment, "@version": version, message, ...same } = JSON.parse(written("logstash", one));
  assert.match(moment, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { msg, ...facts } = rest;
  assert.deepEqual({ version, message, ...same }, { version: "1", message: msg, ...facts });
});

test("who asked is known of a client that has gone, too", () => {
  let here = true;
  const request = {
    ...finished().request,
    get peer(): string | undefined {
      return here ? "10.0.0.7:51000" : undefined;
    },
  } as HttpRequest;
  for (const format of ["json", "text"] as const) {
    here = true;
    const lines: string[] = [];
    const end = accessLog(format, { write: (line) => lines.push(line) })(request);
    here = false;
    end(finished({}, { request }));
    assert.match(lines[0] ?? "", /10\.0\.0\.7/);
  }
});

test("an answer that broke off is said to", () => {
  assert.equal(JSON.parse(written("json", finished({}, { whole: false }))).whole, false);
});

for (const format of ["json", "text"] as const) {
  test(`no secret is in a line of ${format}`, () => {
    const line = written(
      format,
      finished({
        target: "/v2/a/blobs/uploads/x?_state=secret&digest=sha256:ab&access_token=secret#secret",
        headers: [
          ["Authorization", "Bearer secret"],
          ["Referer", "https://ann:secret@elsewhere/?key=secret"],
          ["Cookie", "secret"],
        ],
      }),
    );
    assert.doesNotMatch(line, /secret/);
    assert.match(line, /digest=sha256:ab/);
  });

  test(`control characters are escaped in ${format}, and a line stays one`, () => {
    const one = finished({
      target: "/v2/\u001b[2J\u202e",
      headers: [["User-Agent", 'x\r\n"\u0000\u0085'.repeat(300)]],
    });
    factsOf(one.request).principal = "ann\n200";
    const line = written(format, one);
    assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    assert.ok(line.endsWith("\n"));
    assert.ok(line.length < 1500, `${line.length}`);
  });
}

test("text is the combined format", () => {
  const one = finished({ headers: [["User-Agent", 'a "b" \\']], peer: "[::1]:5000" });
  factsOf(one.request).principal = 'ann "the" admin';
  assert.match(
    written("text", one),
    /^\[::1\] - ann__the__admin \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/v2\/a\/manifests\/1 HTTP\/1\.1" 200 1500 "-" "a \\"b\\" \\\\"\n$/,
  );
  const { peer: _, ...unknown } = finished().request;
  assert.match(written("text", finished({}, { request: unknown })), /^- - - \[/);
});
