import assert from "node:assert/strict";
import { test } from "node:test";
import { readCounts } from "./test-file.ts";

const bun = `
a.test.ts:
(pass) first [0.81ms]
(skip) second
(todo) third
(fail) fourth [2.49ms]

 1 pass
 1 skip
 1 todo
 1 fail
Ran 4 tests across 1 file. [43.00ms]
`;

const node = `
✔ first (0.798221ms)
﹣ second (0.143474ms) # no docker-registry here
✔ third (0.173008ms) # TODO
✖ fourth (1.4ms)
✖ fifth (60000.1ms)
ℹ tests 5
ℹ suites 0
ℹ pass 1
ℹ fail 1
ℹ cancelled 1
ℹ skipped 1
ℹ todo 1
ℹ duration_ms 32.074879
`;

test("counts are read from what Bun prints", () => {
  assert.deepEqual(readCounts(bun), { passed: 1, failed: 1, skipped: 2, skips: ["second", "third"] });
});

test("counts are read from what Node prints, a cancelled test being a failed one", () => {
  const skips = ["second # no docker-registry here"];
  assert.deepEqual(readCounts(node), { passed: 1, failed: 2, skipped: 2, skips });
});

test("a file whose only suite misses a peer is left out, and says why", () => {
  const why = "missing: dockerd; what needs it is left out";
  const output = `a.test.ts:\n${why}\n\n 0 pass\n 0 fail\nRan 0 tests across 1 file. [43.00ms]\n`;
  assert.deepEqual(readCounts(output), { passed: 0, failed: 0, skipped: 1, skips: [why] });
});

test("an output that says nothing counts nothing", () => {
  assert.deepEqual(readCounts("Segmentation fault"), { passed: 0, failed: 0, skipped: 0, skips: [] });
});
