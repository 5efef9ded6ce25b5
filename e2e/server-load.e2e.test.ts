/** Pushes and pulls beside deletions and garbage collection that does not wait long: nobody meets an error, and the space comes back. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { crowd } from "./load/crowd.ts";

const long = process.env["DRAY_LONG_TESTS"] === "1";
const seed = Number(process.env["DRAY_SEED"] ?? Date.now() % 1_000_000);
const size = long ? { tags: 1000, wait: 5000, load: 30_000 } : { tags: 100, wait: 1500, load: 3000 };

describe(`8 clients while ${size.tags} tags are deleted and garbage is collected, DRAY_SEED=${seed}`, () => {
  it("meet no error, and the disk holds what is used soon after", async () => {
    const data = temporaryFolder("crowd");
    const sums = await crowd({ data, seed, ...size });
    console.log(`seed ${seed}: ${JSON.stringify(sums)}`);
    assert.equal(sums.deleted, size.tags);
    assert.ok(sums.pushed >= 8 && sums.disk < sums.most);
  });
});
