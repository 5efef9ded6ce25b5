/** A registry that is killed at random moments under load: whatever it acknowledged is there afterwards, whole and right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { killRounds } from "./load/kill-rounds.ts";

const long = process.env["DRAY_LONG_TESTS"] === "1";
const rounds = Number(process.env["DRAY_KILL_ROUNDS"] ?? (long ? 60 : 20));
const seed = Number(process.env["DRAY_SEED"] ?? Date.now() % 1_000_000);

describe(`SIGKILL under load, ${rounds} rounds, DRAY_SEED=${seed}`, () => {
  it("takes nothing that was acknowledged, brings nothing back that was deleted, and never makes a digest wrong", async () => {
    const data = temporaryFolder("kill");
    const sums = await killRounds({ data, rounds, seed });
    console.log(`seed ${seed}: ${JSON.stringify(sums)}`);
    assert.equal(sums.rounds, rounds);
    assert.ok(sums.acknowledged > rounds && sums.manifests > 0);
  });
});
