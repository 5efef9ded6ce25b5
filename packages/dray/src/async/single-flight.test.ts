import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { singleFlight, unlessAborted } from "./single-flight.ts";

/** A run that ends when it is told to. */
const runs = () => {
  const all: { signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const run = (signal: AbortSignal): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    all.push({ signal, resolve, reject });
    return promise;
  };
  return { all, run };
};

test("who asks meanwhile shares the run; who asks after it begins another", async () => {
  const { all, run } = runs();
  const flights = singleFlight<string>();
  const both = Promise.all([
    flights("k", run, undefined),
    flights("k", run, undefined),
    flights("other", run, undefined),
  ]);
  assert.equal(all.length, 2);
  all[0]?.resolve("a");
  all[1]?.resolve("b");
  assert.deepEqual(await both, ["a", "a", "b"]);
  const later = flights("k", run, undefined);
  assert.equal(all.length, 3);
  all[2]?.resolve("c");
  assert.equal(await later, "c");
});

test("one who leaves does not disturb the others; when the last leaves, the run ends", async () => {
  const { all, run } = runs();
  const flights = singleFlight<string>();
  const [one, other] = [new AbortController(), new AbortController()];
  const asked = [flights("k", run, one.signal), flights("k", run, other.signal)];
  one.abort();
  await assert.rejects(asked[0] as Promise<string>, (error) => isDrayError(error, "ABORTED"));
  assert.equal(all[0]?.signal.aborted, false);
  other.abort();
  await assert.rejects(asked[1] as Promise<string>, (error) => isDrayError(error, "ABORTED"));
  assert.equal(all[0]?.signal.aborted, true);
  // Nobody inherits the run that was cancelled, nor is disturbed by its end.
  const fresh = flights("k", run, undefined);
  all[0]?.reject(new Error("cancelled"));
  all[1]?.resolve("b");
  assert.equal(await fresh, "b");
});

test("a failure reaches all who wait, and the next tries again", async () => {
  const { all, run } = runs();
  const flights = singleFlight<string>();
  const asked = [flights("k", run, undefined), flights("k", run, undefined)];
  all[0]?.reject(new Error("broken"));
  for (const each of asked) await assert.rejects(each, /broken/);
  const again = flights("k", run, undefined);
  all[1]?.resolve("fine");
  assert.equal(await again, "fine");
});

test("who has been cancelled already begins nothing", async () => {
  const { all, run } = runs();
  await assert.rejects(singleFlight<string>()("k", run, AbortSignal.abort()), (error) => isDrayError(error, "ABORTED"));
  assert.equal(all.length, 0);
});

test("no listener stays behind on a signal", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const watch = new Proxy(signal, {
    get: (target, name) => {
      if (name === "addEventListener") listeners++;
      if (name === "removeEventListener") listeners--;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  assert.equal(await unlessAborted(Promise.resolve(1), watch), 1);
  await assert.rejects(unlessAborted(Promise.reject(new Error("no")), watch), /no/);
  assert.equal(listeners, 0);
});
