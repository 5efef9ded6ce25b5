import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "dray/http";
import { type Service, type SignalOptions, untilSignals } from "./signals.ts";

interface Run {
  readonly signals: EventEmitter;
  readonly notices: string[];
  readonly code: Promise<number>;
  /** Lets the time for draining run out. */
  readonly elapse: () => void;
  readonly slept: readonly number[];
}

const run = (service: Service, options: SignalOptions = {}): Run => {
  const signals = new EventEmitter();
  const notices: string[] = [];
  const slept: number[] = [];
  let elapse = (): void => {};
  const clock: Clock = {
    now: () => 0,
    random: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        slept.push(ms);
        elapse = resolve;
        signal?.addEventListener("abort", () => reject(new Error("woken")));
      }),
  };
  const code = untilSignals(
    { ...service, onNotice: (message) => notices.push(message) },
    { signals, clock, ...options },
  );
  return { signals, notices, code, slept, elapse: () => elapse() };
};

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} stops in order`, async () => {
    const stopped: AbortSignal[] = [];
    const { signals, code, slept, notices } = run({ stop: async (hurry) => void stopped.push(hurry) }, { drain: 500 });
    signals.emit(signal);
    assert.equal(await code, 0);
    assert.deepEqual([stopped.length, stopped[0]?.aborted, slept], [1, false, [500]]);
    assert.deepEqual(notices, [`${signal}: stopping; a second one does not wait`]);
    assert.equal(signals.eventNames().length, 0);
  });
}

test("requests that are not done in time are cut, and that is an end in order", async () => {
  const { signals, code, elapse, notices } = run(
    { stop: (hurry) => new Promise((resolve) => hurry.addEventListener("abort", () => resolve())) },
    { drain: 2000 },
  );
  signals.emit("SIGTERM");
  await turn();
  elapse();
  assert.equal(await code, 0);
  assert.deepEqual(notices.slice(1), ["requests were not done within 2 s and are cut"]);
});

test("no time for requests is an end at once, without a word of it", async () => {
  const hurried: boolean[] = [];
  const { signals, code, notices, slept } = run(
    { stop: async (hurry) => void hurried.push(hurry.aborted) },
    { drain: 0 },
  );
  signals.emit("SIGTERM");
  assert.equal(await code, 0);
  assert.deepEqual([hurried, slept, notices.length], [[true], [], 1]);
});

test("a second signal does not wait for anything", async () => {
  for (const [second, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    let hurried = false;
    const { signals, code, slept } = run({
      stop: (hurry) => {
        hurry.addEventListener("abort", () => {
          hurried = true;
        });
        return new Promise(() => {});
      },
    });
    signals.emit("SIGTERM");
    await turn();
    signals.emit(second);
    assert.deepEqual([await code, hurried, slept], [expected, true, []]);
  }
});

test("SIGHUP reloads, one after the other, and one that fails ends nothing", async () => {
  const log: string[] = [];
  let fail = false;
  const { signals, code } = run({
    reload: async () => {
      log.push("begins");
      await turn();
      log.push(fail ? "fails" : "ends");
      if (fail) throw new Error("line 3: no such key");
    },
    stop: async () => {},
  });
  signals.emit("SIGHUP");
  signals.emit("SIGHUP");
  for (let at = 0; at < 5; at++) await turn();
  assert.deepEqual(log, ["begins", "ends", "begins", "ends"]);
  fail = true;
  signals.emit("SIGHUP");
  for (let at = 0; at < 5; at++) await turn();
  assert.deepEqual(log.slice(4), ["begins", "fails"]);
  fail = false;
  signals.emit("SIGHUP");
  for (let at = 0; at < 5; at++) await turn();
  assert.deepEqual(log.slice(6), ["begins", "ends"]);
  signals.emit("SIGTERM");
  assert.equal(await code, 0);
});

test("a terminal that closes stops what was started there", async () => {
  const { signals, code } = run({ stop: async () => {} }, { hangup: "stop" });
  signals.emit("SIGHUP");
  assert.equal(await code, 0);
});

test("stopping that fails is an exit code and a notice", async () => {
  const { signals, code, notices } = run({ stop: () => Promise.reject(new Error("disk")) });
  signals.emit("SIGTERM");
  assert.equal(await code, 1);
  assert.equal(notices.at(-1), "not stopped in order: disk");
});

test("it may end by itself, well or not", async () => {
  let stopped = 0;
  const stop = async (): Promise<void> => void stopped++;
  assert.equal(await run({ stop }, { ended: Promise.resolve() }).code, 0);
  assert.equal(stopped, 1);
  const failed = run({ stop }, { ended: Promise.reject(new Error("listener")) });
  assert.equal(await failed.code, 1);
  assert.deepEqual(failed.notices, ["not stopped in order: listener"]);
});

test("a real process hears real signals", async () => {
  const script = `
    const { untilSignals } = await import(${JSON.stringify(new URL("./signals.ts", import.meta.url).href)});
    const alive = setInterval(() => {}, 1000);
    const running = untilSignals({
      stop: async () => clearInterval(alive),
      reload: async () => console.log("reloaded"),
      onNotice: (message) => console.log(message),
    }, { drain: 60_000 });
    console.log("up");
    process.exitCode = await running;`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  const until = async (word: string): Promise<void> => {
    while (!said.includes(word)) said += String((await once(child.stdout, "data"))[0]);
  };
  await until("up\n");
  child.kill("SIGHUP");
  await until("reloaded\n");
  const closed = once(child, "close");
  child.kill("SIGTERM");
  assert.deepEqual(await closed, [0, null]);
});
