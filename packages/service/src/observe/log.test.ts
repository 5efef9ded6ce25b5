import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogOptions, openLog } from "./log.ts";

const said = (options: LogOptions): string[] => {
  const lines: string[] = [];
  const log = openLog({ write: (line) => lines.push(line) }, { now: () => 0, ...options });
  log("debug", "detail");
  log("info", "serving", { address: "127.0.0.1:5000", seconds: 2, nothing: undefined });
  log("error", "damaged\n\u001b[2J", { repository: "a b" });
  return lines;
};

test("text: words, then what belongs to them", () => {
  assert.deepEqual(said({ fields: { service: "registry" } }), [
    "1970-01-01T00:00:00.000Z info  serving service=registry address=127.0.0.1:5000 seconds=2\n",
    '1970-01-01T00:00:00.000Z error damaged\\n\\u001b[2J service=registry repository="a b"\n',
  ]);
});

test("JSON, plain and as logstash has it", () => {
  assert.deepEqual(
    said({ format: "json" }).map((line) => JSON.parse(line)),
    [
      { time: "1970-01-01T00:00:00.000Z", level: "info", msg: "serving", address: "127.0.0.1:5000", seconds: 2 },
      { time: "1970-01-01T00:00:00.000Z", level: "error", msg: "damaged\\n\\u001b[2J", repository: "a b" },
    ],
  );
  assert.deepEqual(JSON.parse(said({ format: "logstash" })[0] ?? ""), {
    "@timestamp": "1970-01-01T00:00:00.000Z",
    "@version": "1",
    level: "info",
    message: "serving",
    address: "127.0.0.1:5000",
    seconds: 2,
  });
});

test("a level is the least that is told", () => {
  assert.deepEqual(
    (["debug", "info", "warn", "error"] as const).map((level) => said({ level }).length),
    [3, 2, 1, 1],
  );
});
