import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DrayError } from "dray/errors";
import { loadSettings } from "../config/index.ts";
import { createRegistry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";
import { GcPause } from "./gc-pause.ts";
import { jobsOf } from "./jobs.ts";
import { noteRun, untilDue } from "./last-runs.ts";

const hour = 3_600_000;
const writing = { on: false, quiet: new AbortController().signal };

/** What is done in the background keeps no process alive: somebody else has to. */
const awaiting = async <T>(what: Promise<T>): Promise<T> => {
  const alive = setInterval(() => {}, 1000);
  try {
    return await what;
  } finally {
    clearInterval(alive);
  }
};

/** What is logged when garbage collection ends so, once. */
const loggedOf = async (ends: () => Promise<never>): Promise<string[]> => {
  const { settings } = loadSettings({
    flags: { set: ["dray.gc.interval=1ms", "storage.maintenance.uploadpurging.enabled=false"] },
  });
  const logged: string[] = [];
  const { promise: ran, resolve } = Promise.withResolvers<void>();
  const gc = (): Promise<never> => {
    resolve();
    return ends();
  };
  const driver = memoryDriver();
  const registry = createRegistry({ driver, gc: { lease: 0 } });
  const log = (level: string, message: string): void => void logged.push(`${level} ${message}`);
  const [job] = await jobsOf(settings, { registry, driver, actions: { gc, verify: never }, log, readOnly: writing });
  await awaiting(ran);
  // It is stopped once what it began is told.
  await new Promise((told) => void setImmediate(told));
  await job?.stop();
  await registry.close();
  return logged;
};

/** Nobody wants it. */
const never = (): never => assert.fail("it was not to be verified");

describe("garbage collection in the background", () => {
  it("says nothing where an operator has it done at the moment", async () => {
    assert.deepEqual(await loggedOf(() => Promise.reject(new DrayError("LOCKED", "it is running already"))), []);
  });

  it("waits where it is paused, and runs when that ends", async () => {
    const { settings } = loadSettings({
      flags: { set: ["dray.gc.interval=1ms", "storage.maintenance.uploadpurging.enabled=false"] },
    });
    const driver = memoryDriver();
    const registry = createRegistry({ driver, gc: { lease: 0 } });
    const pause = new GcPause(driver);
    await pause.last(60_000);
    let refused = 0;
    const { promise: ran, resolve } = Promise.withResolvers<void>();
    const gc = async (): Promise<never> => {
      await pause
        .collecting(new AbortController().signal, async () => {})
        .catch((error: unknown) => {
          refused++;
          throw error;
        });
      resolve();
      throw new DrayError("LOCKED", "that is enough");
    };
    // It is ended early, by somebody else.
    const pausedUntil = async (): Promise<number | undefined> => {
      const until = await pause.until();
      await pause.last(0);
      return until === undefined ? undefined : Date.now() + 1;
    };
    const options = { registry, driver, actions: { gc, verify: never }, log: () => {}, readOnly: writing, pausedUntil };
    const [job] = await jobsOf(settings, options);
    await awaiting(ran);
    assert.equal(refused, 1);
    await job?.stop();
    await registry.close();
  });

  it("is not done, and is tried again, while it is refused and where nothing may be swept yet", async () => {
    const { settings } = loadSettings({
      flags: { set: ["dray.gc.interval=10ms", "storage.maintenance.uploadpurging.enabled=false"] },
    });
    const driver = memoryDriver();
    const registry = createRegistry({ driver, gc: { lease: 0 } });
    const noted: unknown[] = [];
    const ran = Promise.withResolvers<void>();
    const early = { ...(await registry.collect()), notBefore: Date.now() + 1 };
    const gc = async () => {
      noted.push(await driver.read("dray/schedule/gc"));
      if (noted.length === 1) throw new DrayError("LOCKED", "it is running already");
      if (noted.length === 2) return early;
      ran.resolve();
      return registry.collect();
    };
    const actions = { gc, verify: never };
    const [job] = await jobsOf(settings, { registry, driver, actions, log: () => {}, readOnly: writing });
    await awaiting(ran.promise);
    await job?.stop();
    assert.deepEqual(noted.slice(0, 3), [undefined, undefined, undefined]);
    assert.notEqual(await driver.read("dray/schedule/gc"), undefined, "noted when it ended");
    await registry.close();
  });

  it("tells of a failure", async () => {
    const [first] = await loggedOf(() => Promise.reject(new DrayError("DISK", "no more")));
    assert.equal(first, "error garbage collection: no more");
  });
});

describe("the removal of abandoned uploads in the background", () => {
  it("waits for one lease after the clock was set", async () => {
    const { settings } = loadSettings({
      flags: { set: ["storage.maintenance.uploadpurging.interval=1s", "dray.gc.lease=1h"] },
    });
    const driver = memoryDriver();
    const clock = { ahead: 0 };
    const told = Promise.withResolvers<string>();
    const registry = createRegistry({
      driver,
      now: () => Date.now() + clock.ahead,
      elapsed: () => performance.now(),
      onNotice: ({ message }) => told.resolve(message),
    });
    const upload = await registry.context.uploads.begin("one", { owner: "" });
    clock.ahead = -9 * 24 * hour;
    const options = { registry, driver, actions: { gc: never, verify: never }, log: () => {}, readOnly: writing };
    const jobs = await jobsOf(settings, options);
    assert.match(await awaiting(told.promise), /clock went back by 777600 s/);
    await Promise.all(jobs.map((job) => job.stop()));
    assert.notEqual(await registry.context.uploads.find("one", upload.id, ""), undefined);
    assert.equal(await driver.read("dray/schedule/purge"), undefined, "it is due still");
    await registry.close();
  });
});

describe("verification in the background", () => {
  it("is not done, and is tried again, while an operator has it done", async () => {
    const { settings } = loadSettings({
      flags: { set: ["dray.verify.interval=10ms", "storage.maintenance.uploadpurging.enabled=false"] },
    });
    const driver = memoryDriver();
    const registry = createRegistry({ driver, gc: { lease: 0 } });
    const noted: unknown[] = [];
    const ran = Promise.withResolvers<void>();
    const verify = async () => {
      noted.push(await driver.read("dray/schedule/verify"));
      if (noted.length < 3) throw new DrayError("LOCKED", "the registry is being verified already");
      ran.resolve();
      return registry.verify();
    };
    const actions = { gc: never, verify };
    const jobs = await jobsOf(settings, { registry, driver, actions, log: () => {}, readOnly: writing });
    await awaiting(ran.promise);
    for (const job of jobs) await job.stop();
    assert.deepEqual(noted.slice(0, 3), [undefined, undefined, undefined]);
    assert.notEqual(await driver.read("dray/schedule/verify"), undefined);
    await registry.close();
  });
});

describe("a registry that is read-only", () => {
  const { settings } = loadSettings({
    flags: { set: ["dray.gc.interval=1ms", "storage.maintenance.uploadpurging.enabled=false"] },
  });

  it("collects nothing by itself", async () => {
    const driver = memoryDriver();
    const registry = createRegistry({ driver, gc: { lease: 0 } });
    const twice = Promise.withResolvers<void>();
    let asked = 0;
    const readOnly = {
      get on() {
        if (++asked === 3) twice.resolve();
        return true;
      },
      quiet: AbortSignal.abort(),
    };
    const gc = (): Promise<never> => Promise.reject(new Error("it was collected"));
    const logged: string[] = [];
    const log = (_: string, message: string): void => void logged.push(message);
    const [job] = await jobsOf(settings, { registry, driver, actions: { gc, verify: never }, log, readOnly });
    await awaiting(twice.promise);
    await job?.stop();
    assert.deepEqual(logged, []);
    assert.equal(await driver.read("dray/schedule/gc"), undefined);
    await registry.close();
  });

  it("ends what it was collecting when it becomes so, and does it again later", async () => {
    const driver = memoryDriver();
    const registry = createRegistry({ driver, gc: { lease: 0 } });
    const becoming = new AbortController();
    const readOnly = {
      get on() {
        return becoming.signal.aborted;
      },
      quiet: becoming.signal,
    };
    const ended = Promise.withResolvers<void>();
    const gc = (_: object, { signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(new Error("it ended"));
          ended.resolve();
        });
        becoming.abort();
      });
    const logged: string[] = [];
    const log = (_: string, message: string): void => void logged.push(message);
    const [job] = await jobsOf(settings, { registry, driver, actions: { gc, verify: never }, log, readOnly });
    await awaiting(ended.promise);
    await job?.stop();
    assert.deepEqual(logged, []);
    assert.equal(await driver.read("dray/schedule/gc"), undefined);
    await registry.close();
  });
});

describe("what is due", () => {
  it("counts from the last end, in whatever process that was", async () => {
    const driver = memoryDriver();
    const now = 1000 * hour;
    assert.equal(await untilDue(driver, "gc", 24 * hour, now), 0, "never yet");
    await noteRun(driver, "gc", now);
    assert.equal(await untilDue(driver, "gc", 24 * hour, now + hour), 23 * hour);
    assert.equal(await untilDue(driver, "gc", 24 * hour, now + 25 * hour), 0);
    assert.equal(await untilDue(driver, "purge", 24 * hour, now + hour), 0, "each has its own");
  });

  it("is what ended in the future by a clock that was wrong, and what nobody can read", async () => {
    const driver = memoryDriver();
    await noteRun(driver, "gc", 2000 * hour);
    assert.equal(await untilDue(driver, "gc", hour, 1000 * hour), 0);
    driver.putSync("dray/schedule/gc", new TextEncoder().encode("yesterday"));
    assert.equal(await untilDue(driver, "gc", hour, 1000 * hour), 0);
  });

  it("is done by a registry that is restarted more often than that", async () => {
    const driver = memoryDriver();
    const { settings } = loadSettings({
      flags: { set: ["dray.gc.interval=24h", "storage.maintenance.uploadpurging.enabled=false"] },
    });
    const starts = async (): Promise<number> => {
      // Only what is due within the day that one life lasts.
      return untilDue(driver, "gc", settings.registry.gc?.interval ?? assert.fail());
    };
    const { promise: ran, resolve } = Promise.withResolvers<void>();
    const registry = createRegistry({ driver, gc: { lease: 0 } });
    const gc = async () => {
      const collected = await registry.collect();
      resolve();
      return collected;
    };
    const often = { ...settings, registry: { ...settings.registry, gc: { interval: 10 } } };
    const [job] = await jobsOf(often, {
      registry,
      driver,
      actions: { gc, verify: never },
      log: () => {},
      readOnly: writing,
    });
    await awaiting(ran);
    await job?.stop();
    assert.ok((await starts()) > 23 * hour, "a restart waits for the rest of the day alone");
    await noteRun(driver, "gc", Date.now() - 25 * hour);
    assert.equal(await starts(), 0);
    await registry.close();
  });
});
