import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { type Descriptor, digestOf, mediaTypes } from "dray/oci";
import { drawBars } from "./bars.ts";
import { reporterFor } from "./reporter.ts";
import { sentenceOf } from "./sentences.ts";
import { advance, noProgress } from "./state.ts";
import type { Clock, Reporter } from "./types.ts";

const layer: Descriptor = {
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf(new TextEncoder().encode("layer")),
  size: 1_000_000,
};

/** A clock that is turned by hand, and what was written to stderr. */
const stage = (options: { isTTY?: boolean; columns?: number; rows?: number } = {}) => {
  let time = 0;
  const timers: { every: number; next: number; work: () => void }[] = [];
  const clock: Clock = {
    now: () => time,
    every: (every, work) => {
      const timer = { every, next: time + every, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const turn = (milliseconds: number): void => {
    const end = time + milliseconds;
    for (;;) {
      const due = timers.filter(({ next }) => next <= end).sort((x, y) => x.next - y.next)[0];
      if (due === undefined) break;
      time = due.next;
      due.next += due.every;
      due.work();
    }
    time = end;
  };
  let written = "";
  const stderr = Object.assign(
    new Writable({ write: (chunk, _, done) => ((written += chunk), done()), decodeStrings: false }),
    options,
  );
  return {
    clock,
    turn,
    stderr,
    timers,
    take: () => {
      const text = written;
      written = "";
      return text;
    },
  };
};

const half = (reporter: Reporter): void => {
  reporter.onEvent({ type: "plan", blobs: 2, bytes: 2_000_000 });
  reporter.onEvent({ type: "start", descriptor: layer, offset: 0 });
  reporter.onEvent({ type: "bytes", descriptor: layer, bytes: 500_000 });
};

test("in a log: a line each ten seconds, nothing for what is quick", () => {
  const { clock, turn, stderr, take, timers } = stage();
  const reporter = reporterFor("auto", false, { stderr, env: {} }, clock);
  half(reporter);
  turn(9_999);
  assert.equal(take(), "");
  turn(1);
  assert.equal(take(), "500 kB of 2.0 MB (25%), 0 of 2 blobs, 50.0 kB/s, 30 s left\n");
  reporter.onEvent({ type: "done", descriptor: layer });
  turn(10_000);
  assert.equal(take(), "1.0 MB of 2.0 MB (50%), 1 of 2 blobs, 0 B/s\n");
  reporter.summary("copied a to b", { root: "x" });
  reporter.close();
  assert.equal(take(), "copied a to b\n");
  assert.equal(timers.length, 0);
});

test("on a terminal: bars that cover each other, wiped away at the end", () => {
  const { clock, turn, stderr, take, timers } = stage({ isTTY: true, columns: 60, rows: 24 });
  const reporter = reporterFor("auto", false, { stderr, env: { TERM: "xterm" } }, clock);
  const listeners = process.listenerCount("exit");
  half(reporter);
  turn(300);
  assert.equal(take(), "", "nothing for what is quick");
  turn(100);
  const [first, second, rest] = take().split("\n");
  assert.match(first ?? "", /^\u001b\[\?25l\[==== {4}\] {2}50% {2}layer {2}[0-9a-f]{12}, 500 kB of 1\.0 MB$/);
  assert.equal(second, "[==      ] 500 kB of 2.0 MB (25%), 0 of 2 blobs, 1.3 MB/s");
  assert.equal(rest, "");
  assert.ok([first?.slice(6), second].every((line) => (line ?? "").length < 60));
  turn(100);
  assert.match(take(), /^\u001b\[2A\r\u001b\[0J\[=/, "the next picture goes over the last one");
  reporter.onEvent({ type: "warning", message: "careful" });
  assert.equal(take(), "\u001b[2A\r\u001b[0JWarning: careful\n");
  reporter.close();
  assert.equal(take(), "\u001b[?25h", "the cursor comes back even when nothing is drawn");
  reporter.close();
  assert.equal(take(), "");
  assert.equal(timers.length, 0);
  assert.equal(process.listenerCount("exit"), listeners);
});

test("for machines: an object to a line", () => {
  const { clock, turn, stderr, take } = stage({ isTTY: true });
  const reporter = reporterFor("json", false, { stderr, env: {} }, clock);
  half(reporter);
  turn(500);
  turn(500);
  reporter.onEvent({ type: "skipped", descriptor: layer });
  reporter.warn("careful");
  reporter.summary("copied", { bytes: 3 });
  reporter.close();
  const objects = take()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const facts = { digest: layer.digest, mediaType: layer.mediaType, size: layer.size };
  assert.deepEqual(objects, [
    { event: "plan", blobs: 2, bytes: 2_000_000 },
    { event: "start", ...facts, offset: 0 },
    {
      event: "progress",
      bytes: 500_000,
      totalBytes: 2_000_000,
      blobs: 0,
      totalBlobs: 2,
      fraction: 0.25,
      bytesPerSecond: 1_000_000,
    },
    { event: "skipped", ...facts },
    { event: "warning", message: "careful" },
    {
      event: "progress",
      bytes: 1_000_000,
      totalBytes: 2_000_000,
      blobs: 1,
      totalBlobs: 2,
      fraction: 0.5,
      bytesPerSecond: 500_000,
    },
    { event: "summary", message: "copied", bytes: 3 },
  ]);
});

test("which way progress goes", () => {
  const rows: readonly [
    string,
    Parameters<typeof reporterFor>[0],
    { isTTY?: boolean },
    Record<string, string>,
    "bars" | "lines" | "none",
  ][] = [
    ["a terminal", "auto", { isTTY: true }, {}, "bars"],
    ["no terminal", "auto", {}, {}, "lines"],
    ["a terminal in CI", "auto", { isTTY: true }, { CI: "true" }, "lines"],
    ["a dumb terminal", "auto", { isTTY: true }, { TERM: "dumb" }, "lines"],
    ["forced", "tty", {}, { CI: "true" }, "bars"],
    ["lines on a terminal", "plain", { isTTY: true }, {}, "lines"],
    ["none", "none", { isTTY: true }, {}, "none"],
  ];
  for (const [name, mode, terminal, env, expected] of rows) {
    const { clock, turn, stderr, take } = stage(terminal);
    const reporter = reporterFor(mode, false, { stderr, env }, clock);
    half(reporter);
    turn(10_000);
    const written = take();
    assert.equal(written === "" ? "none" : written.includes("[===") ? "bars" : "lines", expected, name);
    reporter.close();
  }
});

test("quiet keeps warnings", () => {
  for (const mode of ["auto", "tty", "plain", "json"] as const) {
    const { clock, turn, stderr, take } = stage({ isTTY: true });
    const reporter = reporterFor(mode, true, { stderr, env: {} }, clock);
    half(reporter);
    turn(20_000);
    reporter.onEvent({ type: "retry", what: "x", attempt: 2, delay: 1000, reason: "reset" });
    reporter.note("by the way");
    reporter.summary("copied", {});
    assert.equal(take(), "", mode);
    reporter.onEvent({ type: "warning", message: "careful" });
    assert.match(take(), /careful/, mode);
    reporter.close();
  }
});

test("more transfers than rows", () => {
  const start = (i: number) =>
    ({ type: "start", descriptor: { ...layer, digest: digestOf(Uint8Array.of(i)) }, offset: 0 }) as const;
  const state = [0, 1, 2, 3, 4].map(start).reduce(advance, noProgress);
  const lines = drawBars(state, undefined, { columns: 200, rows: 5 });
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? "", /\(3 more\)$/);
  assert.deepEqual(drawBars(state, undefined, { columns: 10, rows: 1 }), ["[       ]"]);
});

test("bars fit the screen: they get shorter first, then whole fields are left out", () => {
  const state = [
    { type: "plan", blobs: 7, bytes: 330_000_000 } as const,
    { type: "start", descriptor: { ...layer, size: 104_857_600 }, offset: 52_428_800 } as const,
  ].reduce<typeof noProgress>(advance, noProgress);
  const at = (columns: number) => drawBars(state, 16_900_000, { columns, rows: 24 });
  assert.deepEqual(
    at(200)[1],
    "[===                     ] 52.4 MB of 330 MB (15%), 0 of 7 blobs, 16.9 MB/s, 16 s left",
  );
  assert.deepEqual(at(80)[1], "[==               ] 52.4 MB of 330 MB (15%), 0 of 7 blobs, 16.9 MB/s, 16 s left");
  assert.deepEqual(at(40)[1], "[=       ] 52.4 MB of 330 MB (15%)");
  assert.match(at(40)[0] ?? "", /^\[==== {4}\] {2}50% {2}layer {2}[0-9a-f]{12}$/);
  const whole = (at(1000)[1] ?? "").slice(27).split(", ");
  for (let columns = 1; columns <= 200; columns++)
    for (const line of at(columns)) {
      assert.ok(line.length < columns, `${columns}: ${line}`);
      const fields = /\] (.*)$/.exec(line)?.[1]?.split(", ") ?? [];
      if (line === at(columns)[1]) assert.deepEqual(fields, whole.slice(0, fields.length), `${columns}: ${line}`);
    }
});

test("an outage is a line for each registry, told again when something got through in between", () => {
  const { clock, turn, stderr, take } = stage();
  const reporter = reporterFor("plain", false, { stderr, env: {} }, clock);
  const fails = (registry: string, i: number, attempt: number) =>
    reporter.onEvent({
      type: "retry",
      registry,
      what: `${registry}/a@${digestOf(Uint8Array.of(i))}`,
      attempt,
      delay: 700,
      reason: `cannot reach ${registry}: connection refused; check the port, and that the registry runs`,
    });
  for (const attempt of [1, 2, 3, 4])
    for (const i of [0, 1, 2, 3]) {
      fails("one.test", i, attempt);
      turn(3000);
    }
  const first = digestOf(Uint8Array.of(0)).slice(0, "sha256:".length + 12);
  assert.equal(
    take()
      .split("\n")
      .filter((line) => line.includes("one.test"))
      .join("\n"),
    `one.test/a@${first}: cannot reach one.test: connection refused; trying again in 0.7 s (attempt 2)`,
  );
  fails("two.test", 0, 1);
  assert.match(take(), /two\.test/);
  reporter.onEvent({ type: "bytes", descriptor: layer, bytes: 1 });
  fails("one.test", 0, 1);
  fails("one.test", 1, 1);
  assert.equal(take().match(/one\.test:/g)?.length, 1);
  reporter.close();
});

test("events in words", () => {
  assert.equal(
    sentenceOf({ type: "retry", what: "GET a/b", attempt: 1, delay: 1500, reason: "connection \u001breset" }),
    "GET a/b: connection \\u001breset; trying again in 1.5 s (attempt 2)",
  );
  assert.equal(
    sentenceOf({ type: "throttled", registry: "docker.io", delay: 2000 }),
    "docker.io limits the rate; going on in 2.0 s",
  );
  assert.equal(sentenceOf({ type: "plan", blobs: 1, bytes: 1 }), undefined);
});

test("new content is shown by its name, with a share where its size is known", () => {
  const shown = (mode: "plain" | "tty" | "json", size: number | undefined): string => {
    const { clock, turn, stderr, take } = stage({ isTTY: mode === "tty", columns: 100, rows: 24 });
    const reporter = reporterFor(mode, false, { stderr, env: {} }, clock);
    reporter.onEvent({ type: "ingest", what: "app.tar", size, bytes: 0 });
    turn(5_000);
    reporter.onEvent({ type: "ingest", what: "app.tar", size, bytes: 1_000_000 });
    turn(5_000);
    reporter.onEvent({ type: "ingest", what: "app.tar", size, bytes: 1_000_000, done: true });
    reporter.close();
    return take();
  };
  assert.equal(shown("plain", 2_000_000), "1.0 MB of 2.0 MB (50%), 0 of 1 blob, 100 kB/s, 10 s left\n");
  assert.equal(shown("plain", undefined), "1.0 MB so far, 0 of 1 blob, 100 kB/s\n");
  assert.match(shown("tty", 2_000_000), /\[={12} {12}\] {2,3}50% {2}layer {2}app\.tar, 1\.0 MB of 2\.0 MB\n/);
  assert.match(shown("tty", undefined), /\[ {24}\] {7}layer {2}app\.tar, 1\.0 MB\n\[ {24}\] 1\.0 MB so far/);
  const lines = shown("json", 2_000_000).trimEnd().split("\n");
  assert.deepEqual(
    lines.filter((line) => line.includes("ingest")).map((line) => JSON.parse(line) as unknown),
    [
      { event: "ingest", what: "app.tar", size: 2_000_000 },
      { event: "ingest", what: "app.tar", size: 2_000_000, done: true },
    ],
  );
});
