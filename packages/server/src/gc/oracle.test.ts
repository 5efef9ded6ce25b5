import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { contextOver } from "../../test/gc/context.ts";
import { anyModel, build, filesOf, type GcModel, garbageOf } from "../../test/gc/model.ts";
import { blobPath, layerFolder, revisionFolder, tagsPath } from "../distribution-tree/index.ts";
import { memoryDriver } from "../storage/index.ts";
import type { Decision } from "./types.ts";

const now = 1_000_000;

const removedBy = (decisions: readonly Decision[]): string[] =>
  decisions
    .filter(({ action }) => action === "remove")
    .map(({ kind, repository = "", digest }) => {
      assert.ok(digest !== undefined);
      if (kind === "blob") return blobPath(digest);
      return `${kind === "manifest" ? revisionFolder(repository, digest) : layerFolder(repository, digest)}/link`;
    })
    .sort();

const check = async (model: GcModel): Promise<void> => {
  const driver = memoryDriver({ now: () => now });
  build(model, driver, now);
  // No tag came or went lately; what other programs took is looked at by the collector's own tests.
  for (const repository of model.repositories.keys()) driver.dateSync(tagsPath(repository), 0);
  const before = filesOf(driver);
  const garbage = garbageOf(model);
  const { collector, close } = await contextOver(driver, model, now);
  try {
    const dry: Decision[] = [];
    const would = await collector.collect({ dryRun: true, onDecision: (decision) => dry.push(decision) });
    assert.deepEqual(filesOf(driver), before, "a dry run removes nothing");
    assert.deepEqual(removedBy(dry), garbage);
    const real: Decision[] = [];
    const did = await collector.collect({ onDecision: (decision) => real.push(decision) });
    assert.deepEqual(
      filesOf(driver).filter((path) => !path.includes("/_meta/untagged/")),
      before.filter((path) => !garbage.includes(path)),
    );
    const sorted = (decisions: readonly Decision[]): string[] => decisions.map((each) => JSON.stringify(each)).sort();
    assert.deepEqual(sorted(real), sorted(dry));
    assert.deepEqual({ ...did, seconds: 0, dryRun: true }, { ...would, seconds: 0 });
    const { manifests, layers, blobs } = await collector.collect();
    assert.deepEqual([manifests, layers, blobs], [0, 0, 0], "nothing is left to do");
  } finally {
    await close();
  }
};

describe("garbage collection of any registry", () => {
  it("removes exactly what is unreachable and old enough, and the dry run says so before", async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), (g) => check(anyModel(g))),
      { numRuns: 120 },
    );
  });

  it("keeps what manifests may need that nobody can read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), (g) => check(anyModel(g, { odd: true }))),
      { numRuns: 60 },
    );
  });
});
