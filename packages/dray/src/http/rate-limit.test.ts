import assert from "node:assert/strict";
import { test } from "node:test";
import { readRateLimit } from "./rate-limiter.ts";
import type { HeaderPairs } from "./types.ts";

test("what is left is read in three dialects", () => {
  const now = 1_800_000_000_000;
  const table: readonly [string, HeaderPairs, ReturnType<typeof readRateLimit>][] = [
    ["nothing said", [["content-length", "1"]], undefined],
    [
      "Docker Hub",
      [
        ["ratelimit-limit", "100;w=21600"],
        ["ratelimit-remaining", "76;w=21600"],
      ],
      { remaining: 76, limit: 100, window: 21_600_000 },
    ],
    [
      "seconds from now",
      [
        ["RateLimit-Remaining", "0"],
        ["RateLimit-Reset", "30"],
      ],
      { remaining: 0, reset: 30_000 },
    ],
    [
      "second of 1970",
      [
        ["X-RateLimit-Remaining", "3"],
        ["X-RateLimit-Reset", "1800000060"],
      ],
      { remaining: 3, reset: 60_000 },
    ],
    [
      "in the past",
      [
        ["RateLimit-Remaining", "3"],
        ["RateLimit-Reset", "1700000000"],
      ],
      { remaining: 3, reset: 0 },
    ],
    ["newer drafts", [["RateLimit", '"default";r=50;t=30']], { remaining: 50, reset: 30_000 }],
    ["several policies", [["RateLimit", '"burst";r=5;t=1, "day";r=2;t=9']], { remaining: 2, reset: 9_000 }],
    ["no number", [["RateLimit-Remaining", "plenty"]], undefined],
    ["not understood", [["RateLimit", "limit=1"]], undefined],
  ];
  for (const [name, headers, limit] of table) assert.deepEqual(readRateLimit(headers, now), limit, name);
});
