import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { type Flight, SingleFlight } from "./single-flight.ts";

/** A run that ends when it is told to. */
const runs = () => {
  const all: { signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const run = ({ signal }: Flight): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    all.push({ signal, resolve, reject });
    return promise;
  };
  return { all, run };
};

test("who asks meanwhile shares the run; who asks after it begins another", async () => {
  const { all, run } = runs();
  const flights = new SingleFlight<string>();
  const both = Promise.all([
    flights.run("k", run, undefined),
    flights.run("k", run, undefined),
    flights.run("other", run, undefined),
  ]);
  assert.equal(all.length, 2);
  all[0]?.resolve("a");
  all[1]?.resolve("b");
  assert.deepEqual(await both, ["a", "a", "b"]);
  const later = flights.run("k", run, undefined);
  assert.equal(all.length, 3);
  all[2]?.resolve("c");
  assert.equal(await later, "c");
});

test("one who leaves does not disturb the others; when the last leaves, the run ends", async () => {
  const { all, run } = runs();
  const flights = new SingleFlight<string>();
  const [one, other] = [new AbortController(), new AbortController()];
  const asked = [flights.run("k", run, one.signal), flights.run("k", run, other.signal)];
  one.abort();
  await assert.rejects(asked[0] as Promise<string>, (error) => isDrayError(error, "ABORTED"));
  assert.equal(all[0]?.signal.aborted, false);
  other.abort();
  await assert.rejects(asked[1] as Promise<string>, (error) => isDrayError(error, "ABORTED"));
  assert.equal(all[0]?.signal.aborted, true);
  // Nobody inherits the run that was cancelled, nor is disturbed by its end.
  const fresh = flights.run("k", run, undefined);
  all[0]?.reject(new Error("cancelled"));
  all[1]?.resolve("b");
  assert.equal(await fresh, "b");
});

test("a failure reaches all who wait, and the next tries again", async () => {
  const { all, run } = runs();
  const flights = new SingleFlight<string>();
  const asked = [flights.run("k", run, undefined), flights.run("k", run, undefined)];
  all[0]?.reject(new Error("broken"));
  for (const each of asked) await assert.rejects(each, /broken/);
  const again = flights.run("k", run, undefined);
  all[1]?.resolve("fine");
  assert.equal(await again, "fine");
});

test("who has been cancelled already begins nothing", async () => {
  const { all, run } = runs();
  await assert.rejects(new SingleFlight<string>().run("k", run, AbortSignal.abort()), (error) =>
    isDrayError(error, "ABORTED"),
  );
  assert.equal(all.length, 0);
});

test("work that throws before it waits fails for who asked, and the next tries again", async () => {
  const flights = new SingleFlight<string>();
  const throws = flights.run("k", () => {
    throw new Error("at once");
  });
  await assert.rejects(throws, /at once/);
  assert.equal(await flights.run("k", async () => "fine"), "fine");
});
