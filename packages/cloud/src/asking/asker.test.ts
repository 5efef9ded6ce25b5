import assert from "node:assert/strict";
import { test } from "node:test";
import type { Credential } from "dray/auth";
import { isDrayError } from "dray/errors";
import { type Answer, asker } from "./asker.ts";

const question = (account = "a", needed?: boolean) => ({
  account,
  source: `cloud (${account})`,
  registry: `${account}.example`,
  needed,
});
const minute = 60_000;

/** A clock that a test sets, and a cloud that counts. */
const setting = () => {
  const clock = { now: 1_000_000 };
  const warnings: string[] = [];
  const ask = asker({ now: () => clock.now, onWarning: (message) => warnings.push(message), timeout: 50 });
  const given = (password: string, lifetime: number): Credential => ({
    username: "u",
    password,
    source: "cloud (a)",
    expiresAt: new Date(clock.now + lifetime),
  });
  let asked = 0;
  const giving = (lifetime: number) => async (): Promise<Answer> => given(`p${++asked}`, lifetime);
  return { clock, warnings, ask, given, giving, asked: () => asked };
};

test("however many wait, an account is asked once, and again before what it gave ends", async () => {
  const { clock, ask, giving, asked } = setting();
  const work = giving(60 * minute);
  const all = await Promise.all(Array.from({ length: 1000 }, () => ask(question(), work, undefined)));
  assert.deepEqual([asked(), new Set(all.map((each) => each?.password))], [1, new Set(["p1"])]);
  clock.now += 54 * minute;
  assert.equal((await ask(question(), work, undefined))?.password, "p1");
  clock.now += 2 * minute;
  assert.equal((await ask(question(), work, undefined))?.password, "p2");
  await ask(question("b"), work, undefined);
  assert.equal(asked(), 3);
});

test("what was refused is asked for anew, but not at once", async () => {
  const { clock, ask, giving } = setting();
  const work = giving(60 * minute);
  await ask(question(), work, undefined);
  assert.equal((await ask(question(), work, { fresh: true }))?.password, "p1");
  clock.now += 11_000;
  assert.equal((await ask(question(), work, { fresh: true }))?.password, "p2");
});

test("an account that fails is said once and left alone for a minute, and takes nothing from another", async () => {
  const { clock, warnings, ask, giving } = setting();
  let failures = 0;
  const failing = async (): Promise<Answer> => {
    failures++;
    throw new Error("is not allowed");
  };
  const tried: string[] = [];
  const onTried = (source: string, said: string) => tried.push(`${source}: ${said}`);
  for (let i = 0; i < 3; i++) assert.equal(await ask(question(), failing, { fresh: i > 0, onTried }), undefined);
  assert.equal((await ask(question("b"), giving(minute), { onTried }))?.password, "p1");
  assert.equal(failures, 1);
  assert.deepEqual(warnings, ["cloud (a): is not allowed; going on without its credentials for a.example"]);
  assert.deepEqual(tried.slice(2), ["cloud (a): is not allowed", "cloud (a): password of u"]);
  clock.now += minute;
  await ask(question(), failing, undefined);
  assert.deepEqual([failures, warnings.length], [2, 1]);
  clock.now += minute;
  assert.equal((await ask(question(), giving(minute), undefined))?.password, "p2");
});

test("nobody logged in is said only where the registry has nothing for strangers", async () => {
  const { warnings, ask } = setting();
  const nobody = async (): Promise<Answer> => ({ none: "nobody here" });
  const tried: string[] = [];
  assert.equal(await ask(question(), nobody, { onTried: (_, said) => tried.push(said) }), undefined);
  assert.deepEqual([warnings, tried], [[], ["nobody here"]]);
  await ask(question("b", true), nobody, undefined);
  assert.deepEqual(warnings, ["cloud (b): nobody here; going on without credentials for b.example"]);
});

test("what ended before it came is used, said, and not asked for with each request", async () => {
  for (const lifetime of [0, -5 * minute]) {
    const { clock, warnings, ask, giving, asked } = setting();
    const work = giving(lifetime);
    for (let i = 0; i < 5; i++) assert.equal((await ask(question(), work, { fresh: true }))?.password, "p1");
    assert.equal(asked(), 1);
    assert.match(warnings.join(), /^cloud \(a\): what it gave has ended already, by the clock of this machine/);
    clock.now += minute;
    assert.equal((await ask(question(), work, undefined))?.password, "p2");
    assert.equal(warnings.length, 1);
  }
});

test("one that lives for seconds is kept for some of them", async () => {
  const { clock, ask, giving, asked } = setting();
  const work = giving(20_000);
  for (let i = 0; i < 15; i++, clock.now += 1000) await ask(question(), work, { fresh: true });
  assert.equal(asked(), 2);
});

test("where renewing fails, what is left of the credential is used", async () => {
  const { clock, warnings, ask, giving } = setting();
  await ask(question(), giving(60 * minute), undefined);
  const failing = async (): Promise<Answer> => {
    throw new Error("is down");
  };
  clock.now += 56 * minute;
  assert.equal((await ask(question(), failing, undefined))?.password, "p1");
  assert.match(warnings.join(), /is down; going on with the credentials from before for a\.example/);
  clock.now += 5 * minute;
  assert.equal(await ask(question(), failing, undefined), undefined);
});

test("who does not answer is given up, and who does not want to wait leaves", async () => {
  const { warnings, ask } = setting();
  let stopped = false;
  const silent = (signal: AbortSignal) =>
    new Promise<Answer>(() => signal.addEventListener("abort", () => (stopped = true)));
  assert.equal(await ask(question(), silent, undefined), undefined);
  assert.ok(stopped);
  assert.match(warnings.join(), /^cloud \(a\): did not answer within 0\.05 s and was given up; going on without/);
  const leaving = new AbortController();
  const waiting = ask(question("b"), silent, { signal: leaving.signal });
  leaving.abort();
  await assert.rejects(waiting, (error) => isDrayError(error, "ABORTED"));
  assert.equal(warnings.length, 1);
});

test("a time limit that means nothing is refused", () => {
  assert.throws(
    () => asker({ timeout: Number.NaN }),
    (error) => isDrayError(error, "USAGE"),
  );
});

test("where the clock is set back, what was reckoned by the wrong one holds for nothing", async () => {
  const { clock, ask, giving } = setting();
  const work = giving(60 * minute);
  await ask(question(), work, undefined);
  clock.now -= 600 * minute;
  assert.equal((await ask(question(), work, { fresh: true }))?.password, "p2");
  const failing = async (): Promise<Answer> => Promise.reject(new Error("is down"));
  assert.equal(await ask(question("b"), failing, undefined), undefined);
  clock.now -= 600 * minute;
  assert.equal((await ask(question("b"), work, undefined))?.password, "p3");
});
