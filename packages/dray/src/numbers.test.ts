import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "./content/index.ts";
import { copy } from "./copy/index.ts";
import { isDrayError } from "./errors.ts";
import { backoff } from "./http/index.ts";
import { compressLayer, validate } from "./image/index.ts";
import { refuseNumber } from "./numbers.ts";
import { digestOf } from "./oci/index.ts";
import { connect } from "./registry/index.ts";

const nonsense = [Number.NaN, -1, -Infinity, "3" as unknown as number];

test("numbers that mean nothing are refused by the option's name", () => {
  for (const value of [...nonsense, 0, 1.5])
    assert.throws(
      () => refuseNumber("jobs", value),
      (error) => isDrayError(error, "USAGE") && /option jobs is/.test(error.message),
    );
  for (const value of [undefined, 1, 4, Infinity]) refuseNumber("jobs", value);
  refuseNumber("wait", 0, { from: 0, fractions: true });
  assert.throws(() => refuseNumber("level", 10, { to: 9 }), /from 1 to 9/);
});

test("every option that is a number is looked at before anything begins", async () => {
  const bytes = Buffer.from("{}");
  const root = { mediaType: "x/y", digest: digestOf(bytes), size: 2 };
  const at = (name: string) => ({ store: memoryStore(), name, location: "memory:" });
  const calls: Readonly<Record<string, (value: number) => unknown>> = {
    jobs: (jobs) => copy(at("a"), at("b"), { jobs }),
    "validate jobs": (jobs) => validate(memoryStore(), root, { jobs }),
    attempts: (attempts) => connect("r.test", { retry: { attempts } }),
    "retry.maxWait": (maxWait) => connect("r.test", { retry: { maxWait } }),
    concurrency: (concurrency) => connect("r.test", { budget: { concurrency } }),
    "budget.maxWait": (maxWait) => connect("r.test", { budget: { maxWait } }),
    chunkSize: (chunkSize) => connect("r.test", { chunkSize }),
    connect: (each) => connect("r.test", { timeouts: { connect: each } }),
    headers: (each) => connect("r.test", { timeouts: { headers: each } }),
    idle: (each) => connect("r.test", { timeouts: { idle: each } }),
    commit: (each) => connect("r.test", { timeouts: { commit: each } }),
    first: (first) => backoff({ first }),
    factor: (factor) => backoff({ factor }),
    longest: (longest) => backoff({ longest }),
    jitter: (jitter) => backoff({ jitter }),
    level: (level) => compressLayer(memoryStore(), memoryStore(), root, { level }),
    pageSize: (pageSize) => collectNames(connect("r.test", { stateDir: false }).repository("a").tags({ pageSize })),
  };
  for (const [name, call] of Object.entries(calls))
    for (const value of nonsense)
      await assert.rejects(
        async () => call(value),
        (error) => isDrayError(error, "USAGE") && error.message.startsWith("option "),
        `${name}: ${value}`,
      );
});

const collectNames = async (names: AsyncIterable<string>): Promise<void> => {
  for await (const _ of names) return;
};
