import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { Durations } from "./durations.ts";

test("work is counted by its labels and by whether it succeeded, in seconds, and its result is the caller's", async () => {
  const clock = fakeClock();
  const durations = new Durations("fetch_duration_seconds", "How long.", { clock });
  const work = async (ms: number): Promise<string> => (await clock.sleep(ms), "done");
  assert.equal(await clock.run(durations.of({ kind: "tags" }, () => work(200))), "done");
  await clock.run(durations.of({ kind: "tags" }, () => work(3_000)));
  await assert.rejects(
    clock.run(durations.of({ kind: "metadata" }, () => work(20).then(() => Promise.reject(new Error("no"))))),
    /^Error: no$/,
  );
  const family = durations.family();
  assert.deepEqual([family.name, family.help, family.type], ["fetch_duration_seconds", "How long.", "histogram"]);
  const values = [...(await family.values())];
  const read = (metric: string, labels: object): number | undefined =>
    values.find(
      ({ metricName, labels: of }) =>
        metricName === `fetch_duration_seconds_${metric}` && JSON.stringify(of) === JSON.stringify(labels),
    )?.value;
  const good = { kind: "tags", success: "true" };
  assert.equal(read("count", good), 2);
  assert.equal(read("sum", good), 3.2);
  assert.equal(read("bucket", { ...good, le: "0.25" }), 1);
  assert.equal(read("bucket", { ...good, le: "+Inf" }), 2);
  assert.equal(read("count", { kind: "metadata", success: "false" }), 1);
  assert.equal(read("count", { kind: "metadata", success: "true" }), undefined);
});

test("a clock that is set back makes no time negative", async () => {
  let now = 10_000;
  const durations = new Durations("x", "x", { clock: { now: () => (now -= 5_000) } });
  await durations.of({}, async () => {});
  const sum = [...(await durations.family().values())].find(({ metricName }) => metricName === "x_sum");
  assert.equal(sum?.value, 0);
});
