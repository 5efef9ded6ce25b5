import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type FileCall, faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { filesystemDriver } from "../../src/storage/index.ts";
import { Refused } from "./client.ts";
import { History } from "./history.ts";
import { faultsIn } from "./inspect.ts";
import { quickFiles } from "./quick-files.ts";
import { Clients, scenario } from "./scenario.ts";

const long = process.env["DRAY_LONG_TESTS"] === "1";
const codes = ["EIO", "ENOSPC", "EMFILE"] as const;
/** Each so many-th call fails, other ones for each error; each of them where there is time for it. */
const stride = long ? 1 : 130;

/** One registry after the other over the same folder. */
class Harness {
  readonly root: string;
  readonly history: History;
  readonly #fault: (call: FileCall) => string | undefined;
  readonly #quick = quickFiles();
  #moment = 0;
  #armed = false;
  calls = 0;

  constructor(root: string, fault: (call: FileCall, count: number) => string | undefined) {
    this.root = root;
    this.history = new History(() => ++this.#moment);
    this.#fault = (call) => (this.#armed ? fault(call, ++this.calls) : undefined);
  }

  get open(): number {
    return this.#quick.open();
  }

  async start(): Promise<Registry> {
    const driver = await filesystemDriver(join(this.root, "data"), { fs: faultyFiles(this.#quick.files, this.#fault) });
    let now = Date.now();
    const registry = createRegistry({ driver, index: join(this.root, "index.db"), now: () => now, recheckAfter: 0 });
    now += 2 * 3_600_000;
    return registry;
  }

  /** Faults come from now on, or no more. */
  arm(on: boolean): void {
    this.#armed = on;
  }
}

/** Whether clients are told in the right way that the disk has failed. */
const isDiskFailure = (error: unknown): boolean =>
  isDrayError(error, "DISK") || (error instanceof Refused && (error.status === 500 || error.status === 503));

/** The scenario, each step tried again where the disk failed; in the end by a registry that was started again. */
const live = async (harness: Harness): Promise<{ registry: Registry; failures: number; starts: number }> => {
  let registry = await harness.start();
  let [failures, starts] = [0, 1];
  const count = scenario(registry, new Clients(registry, harness.history)).length - 1;
  for (let i = 0; i < count; i++)
    for (let attempt = 1; ; attempt++) {
      const [name, step] = scenario(registry, new Clients(registry, harness.history))[i] as [
        string,
        () => Promise<void>,
      ];
      harness.arm(true);
      try {
        await step();
        break;
      } catch (error) {
        if (!isDiskFailure(error) || attempt === 12) throw new Error(`${name}, attempt ${attempt}`, { cause: error });
        failures++;
      } finally {
        harness.arm(false);
      }
      if (attempt < 8) continue;
      await registry.close();
      registry = await harness.start();
      starts++;
    }
  return { registry, failures, starts };
};

const check = async (harness: Harness, registry: Registry, what: string): Promise<void> => {
  const faults = await faultsIn(registry, harness.history, { cut: Number.MAX_SAFE_INTEGER });
  await registry.context.reconciler.reconciled();
  for await (const difference of registry.check()) faults.push(JSON.stringify(difference));
  assert.deepEqual(faults, [], what);
};

describe("whatever call of the file system fails under a whole registry", () => {
  // What is tried again in the background keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  after(() => clearInterval(alive));
  for (const [which, code] of codes.entries())
    it(`with ${code}, clients are told, may try again, and nothing acknowledged is lost`, async () => {
      const root = temporaryFolder("failures");
      const whole = new Harness(join(root, "whole"), () => undefined);
      await (await live(whole)).registry.close();
      assert.ok(whole.calls > 300, `${whole.calls} calls`);
      let [runs, told, starts] = [0, 0, 0];
      for (let at = 1 + Math.floor((which * stride) / codes.length); at <= whole.calls; at += stride) {
        // Once, or for a while.
        const last = at + (runs % 2 === 0 ? 0 : 5);
        const harness = new Harness(join(root, String(at)), (_, count) =>
          count >= at && count <= last ? code : undefined,
        );
        const what = `calls ${at} to ${last} fail with ${code}`;
        try {
          const lived = await live(harness);
          runs++;
          told += lived.failures;
          starts += lived.starts - 1;
          await check(harness, lived.registry, what);
          await lived.registry.close();
        } catch (error) {
          throw new Error(what, { cause: error });
        }
        assert.equal(harness.open, 0, `${what}: files that were left open`);
        const rests = (): Promise<string[]> => readdir(join(harness.root, "data/dray/tmp"));
        // What could not be removed either goes with the next start.
        if (last === at) assert.deepEqual(await rests(), [], what);
        const again = await harness.start();
        await check(harness, again, `${what}, started again`);
        assert.deepEqual(await rests(), [], what);
        await again.close();
        await rm(harness.root, { recursive: true });
      }
      console.log(
        `${code}: ${runs} of ${whole.calls} calls failed, ${told} requests were refused for it, ${starts} times only a start helped`,
      );
      assert.ok(told > runs / 4);
    });
});
