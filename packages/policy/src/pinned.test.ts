import assert from "node:assert/strict";
import { test } from "node:test";
import { pinnedTo } from "./pinned.ts";
import { readPolicy } from "./policy/index.ts";

test("what a reference is pinned to", async () => {
  const [old, now] = ["sha256:a", "sha256:b"];
  const chosen = { tag: "1.2", digest: now };
  const rows: readonly [reflection: string | undefined, before: Parameters<typeof pinnedTo>[2], pinned: object][] = [
    [undefined, undefined, { tag: "1.2" }],
    ["Never", { tag: "1.2", digest: old }, { tag: "1.2" }],
    ["Always", { tag: "1.2", digest: old }, chosen],
    ["Always", undefined, chosen],
    ["IfNotPresent", { tag: "1.2", digest: old }, { tag: "1.2", digest: old }],
    ["IfNotPresent", { tag: "1.2" }, chosen],
    ["IfNotPresent", { tag: "1.1", digest: old }, chosen],
    ["IfNotPresent", undefined, chosen],
  ];
  for (const [digestReflectionPolicy, before, pinned] of rows) {
    const policy = await readPolicy(digestReflectionPolicy === undefined ? {} : { digestReflectionPolicy });
    assert.deepEqual(pinnedTo(policy, chosen, before), pinned, `${digestReflectionPolicy} ${JSON.stringify(before)}`);
  }
});
