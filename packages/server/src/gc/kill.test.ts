import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import type { Digest } from "dray/oci";
import fc from "fast-check";
import { contextOver } from "../../test/gc/context.ts";
import { anyModel, build, filesOf, type GcModel, garbageOf } from "../../test/gc/model.ts";
import { blobPath } from "../distribution-tree/index.ts";
import { type Driver, type MemoryFiles, memoryDriver } from "../storage/index.ts";

const now = 1_000_000;

class Killed extends Error {}

/** A driver whose process is killed at a call; `half`: a folder that is being removed has lost its files by then, but is there. */
const killedAt = (
  driver: Driver & MemoryFiles,
  call: number,
  half: boolean,
): { driver: Driver; calls: () => number; signal: AbortSignal } => {
  let calls = 0;
  const killed = new AbortController();
  const through = new Proxy<Driver>(driver, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]): Promise<unknown> => {
        calls++;
        if (calls === call && half && name === "remove") {
          const folder = given[0] as string;
          for (const entry of driver.listSync(folder) ?? []) driver.removeSync(`${folder}/${entry}`);
        }
        if (calls >= call) {
          killed.abort(new Killed());
          throw new Killed();
        }
        return (await method.apply(target, given)) as unknown;
      };
    },
  });
  return { driver: through, calls: () => calls, signal: killed.signal };
};

/** One run, on a registry started for it. Whether it came to its end. */
const collect = async (driver: Driver, model: GcModel, signal?: AbortSignal): Promise<boolean> => {
  const { collector, close } = await contextOver(driver, { ...model, repositories: new Map() }, now);
  try {
    await collector.collect(signal === undefined ? {} : { signal });
    return true;
  } catch (error) {
    if (!(error instanceof Killed || (isDrayError(error, "ABORTED") && error.cause instanceof Killed))) throw error;
    return false;
  } finally {
    await close();
  }
};

const fresh = (model: GcModel): Driver & MemoryFiles => {
  const driver = memoryDriver({ now: () => now });
  build(model, driver, now);
  return driver;
};

/** A link whose data is gone, though it was there at the start. */
const broken = (driver: MemoryFiles, before: readonly string[]): string[] =>
  filesOf(driver).filter((path) => {
    const digest = /\/(?:_layers|revisions)\/(sha\d+)\/([0-9a-f]+)\/link$/.exec(path);
    if (digest === null) return false;
    const data = blobPath(`${digest[1]}:${digest[2]}` as Digest);
    return before.includes(data) && driver.getSync(data) === undefined;
  });

/** Kills a run at some of its calls, and then lets another run come to its end. */
const check = async (model: GcModel, half: boolean, calls: (all: number) => Iterable<number>): Promise<void> => {
  const whole = fresh(model);
  const before = filesOf(whole);
  const counted = killedAt(whole, Number.POSITIVE_INFINITY, half);
  assert.equal(await collect(counted.driver, model), true);
  const after = filesOf(whole);
  for (const call of calls(counted.calls())) {
    const driver = fresh(model);
    const doomed = killedAt(driver, call, half);
    await collect(doomed.driver, model, doomed.signal);
    assert.deepEqual(broken(driver, before), []);
    assert.equal(await collect(driver, model), true);
    assert.deepEqual(filesOf(driver), after);
  }
};

describe("a run that is killed at a call of its store", () => {
  it("leaves no link without its data, and the next run finishes it: each call of one run", async () => {
    const every = (all: number): number[] => Array.from({ length: all }, (_, call) => call + 1);
    const one = fc.asyncProperty(fc.gen(), async (g) => {
      const model = anyModel(g);
      assert.ok(garbageOf(model).length >= 6, "this one removes too little to show anything");
      await check(model, true, every);
    });
    await fc.assert(one, { numRuns: 1, seed: 31, endOnFailure: true });
  });

  it("leaves no link without its data, and the next run finishes it: any call of any run", async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), fc.boolean(), fc.nat(), async (g, half, call) => {
        await check(anyModel(g), half, (all) => [1 + (call % all)]);
      }),
      { numRuns: 60 },
    );
  });
});
