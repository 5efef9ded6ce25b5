import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DrayError } from "dray/errors";
import { loadSettings } from "../config/index.ts";
import type { Registry } from "../registry.ts";
import type { ControlActions } from "./controls.ts";
import { jobsOf } from "./jobs.ts";

/** What is logged when garbage collection ends so, once. */
const loggedOf = async (ends: () => Promise<never>): Promise<string[]> => {
  const { settings } = loadSettings({
    flags: { set: ["dray.gc.interval=1ms", "storage.maintenance.uploadpurging.enabled=false"] },
  });
  const logged: string[] = [];
  const { promise: ran, resolve } = Promise.withResolvers<void>();
  const actions = {
    gc: () => {
      resolve();
      return ends();
    },
  } as unknown as ControlActions;
  const [job] = jobsOf(settings, {} as Registry, actions, (level, message) => void logged.push(`${level} ${message}`));
  // What is done in the background keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await ran;
  clearInterval(alive);
  // It is stopped once what it began is told.
  await new Promise((told) => void setImmediate(told));
  await job?.stop();
  return logged;
};

describe("garbage collection in the background", () => {
  it("says nothing where an operator has it done at the moment", async () => {
    assert.deepEqual(await loggedOf(() => Promise.reject(new DrayError("LOCKED", "it is running already"))), []);
  });

  it("tells of a failure", async () => {
    const [first] = await loggedOf(() => Promise.reject(new DrayError("DISK", "no more")));
    assert.equal(first, "error garbage collection: no more");
  });
});
