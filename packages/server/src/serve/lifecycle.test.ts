import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { ask, pullBlob, pushBlob } from "../../test/ask.ts";
import { mount, mountMemory, noMounts, unmount } from "../../test/mounts.ts";
import { loadSettings, type Settings } from "../config/index.ts";
import { filesystemDriver, lockVolume } from "../storage/index.ts";
import { running } from "./control-socket.ts";
import { keeping } from "./keeping.ts";
import { maintain } from "./maintain.ts";
import { type Serving, serve } from "./serve.ts";

const never = new AbortController().signal;
const readOnly = "storage.maintenance.readonly.enabled=true";

let root: string;
let data: string;
let count = 0;
const runtime = process.env["XDG_RUNTIME_DIR"];
before(() => {
  root = temporaryFolder("lifecycle");
});
beforeEach(() => {
  data = join(root, `${++count}`);
  process.env["XDG_RUNTIME_DIR"] = join(root, "run");
});
afterEach(() => {
  if (runtime === undefined) delete process.env["XDG_RUNTIME_DIR"];
  else process.env["XDG_RUNTIME_DIR"] = runtime;
});
const settingsOf = (...set: string[]): Settings =>
  loadSettings({
    flags: { data, listen: "127.0.0.1:0", set: ["log.accesslog.disabled=true", "log.level=error", ...set] },
  }).settings;

/** Serves registries one beside the other, and ends them. */
const served = async (
  settings: readonly Settings[],
  use: (...registries: Serving[]) => Promise<void>,
): Promise<void> => {
  const registries: Serving[] = [];
  try {
    for (const each of settings)
      registries.push(await serve(each, { version: "test", patience: 0, settings: async () => each }));
    await use(...registries);
  } finally {
    for (const each of registries.reverse()) await each.stop(never);
  }
};
const statusOf = async (settings: Settings): Promise<Readonly<Record<string, unknown>>> =>
  (await (await running(settings))?.ask("status", {})) ?? assert.fail("nobody answers");
const silent = { who: "`dray serve gc`", onNotice: () => {}, patience: 0 };

describe("asking whether a registry runs", () => {
  test("makes nothing where none does", async () => {
    assert.equal(await running(settingsOf()), undefined);
    assert.equal(existsSync(data), false);
    assert.equal(existsSync(join(root, "run")), false);
  });

  test("looks alone where nobody serves: nothing is made, and a writer may begin meanwhile", async () => {
    await served([settingsOf()], async ({ origin }) => void (await pushBlob(origin, "a", "x")));
    await rm(join(data, "dray"), { recursive: true });
    const result = await maintain(settingsOf(), { ...silent, reads: true }, async (client) => {
      await served([settingsOf()], async ({ origin }) => assert.equal((await pushBlob(origin, "a", "y")).status, 201));
      await rm(join(data, "dray"), { recursive: true });
      await client.ask("gc", { dryRun: true });
      return client.ask("verify", {});
    });
    assert.equal(result.findings, 0);
    assert.deepEqual(await readdir(data), ["docker"]);
  });
});

test("what root has done to a volume of another user leaves nothing that is root's", {
  skip: process.getuid?.() === 0 ? false : "needs root, to give",
}, async () => {
  await served([settingsOf()], async ({ origin }) => void (await pushBlob(origin, "a", "x")));
  await rm(join(data, "dray"), { recursive: true });
  const everything = async (): Promise<string[]> => [
    data,
    ...(await readdir(data, { recursive: true })).map((name) => join(data, name)),
  ];
  for (const path of await everything()) await chown(path, 12_345, 12_345);
  const beside = join(root, "beside");
  await mkdir(beside);
  await chown(beside, 23_456, 23_456);
  const elsewhere = settingsOf(
    `dray.index=${join(beside, "index", "index.db")}`,
    `dray.log.audit.to=${join(beside, "log", "audit.log")}`,
  );
  for (const settings of [settingsOf(), elsewhere])
    await maintain(settings, { ...silent, who: "`dray serve rebuild`" }, async (client) => {
      await client.ask("rebuild", {});
      await client.ask("gc", { lease: 0 });
    });
  const others = await readdir(beside, { recursive: true });
  assert.ok(["index/index.db", "log/audit.log"].every((name) => others.includes(name)));
  for (const name of others) assert.equal((await stat(join(beside, name))).uid, 23_456, name);
  await served([settingsOf()], async ({ origin }) => {
    assert.equal((await pushBlob(origin, "b", "y")).status, 201);
    const foreign = [];
    for (const path of await everything())
      if ((await stat(path)).uid !== 12_345 && !path.endsWith("control.sock")) foreign.push(path);
    assert.deepEqual(foreign, []);
  });
});

describe("who holds a volume", () => {
  beforeEach(() => mkdir(data));

  test("is named by what it does, to whoever cannot wait", async () => {
    await maintain(settingsOf(), silent, async () => {
      const refusal = { code: "LOCKED", message: /is held by `dray serve gc` \(process \d+ on / };
      await assert.rejects(serve(settingsOf(), { version: "test", patience: 0 }), refusal);
      await assert.rejects(
        maintain(settingsOf(), { ...silent, who: "`dray serve rebuild`" }, async () => {}),
        refusal,
      );
    });
  });

  test("is waited for by a start and by a command, when it is about to end", async () => {
    const holding = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = maintain(settingsOf(), silent, () => {
      begun.resolve();
      return holding.promise;
    });
    await begun.promise;
    const starting = serve(settingsOf(), { version: "test", patience: 50_000 });
    const asking = maintain(settingsOf(), { ...silent, patience: 50_000 }, (client) => client.ask("check", {}));
    setImmediate(holding.resolve);
    await first;
    const serving = await starting;
    assert.deepEqual(await asking, { differences: 0 });
    await serving.stop(never);
  });

  test("is not waited for after the order to end", async () => {
    const holder = await filesystemDriver(data, { lock: lockVolume });
    const order = new AbortController();
    const starting = serve(settingsOf(), { version: "test", patience: 50_000, signal: order.signal });
    order.abort();
    await assert.rejects(starting, { code: "ABORTED" });
    await holder.close();
  });
});

describe("read-only", () => {
  test("that an operator switched on outlives a reload and is told to the audit log", async () => {
    const audit = join(root, "audit.log");
    const settings = settingsOf(`dray.log.audit.to=${audit}`);
    await served([settings], async (serving) => {
      const { origin } = serving;
      const client = (await running(settings)) ?? assert.fail();
      await client.ask("read-only", { on: true });
      await serving.reload();
      assert.equal((await pushBlob(origin, "a", "x")).status, 405);
      await client.ask("read-only", { on: false });
      assert.equal((await pushBlob(origin, "a", "x")).status, 201);
    });
    const told = (await readFile(audit, "utf8")).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
    assert.deepEqual(
      told.filter(({ reason }) => reason?.startsWith("read-only")).map(({ action, reason }) => [action, reason]),
      [
        ["operate", "read-only on"],
        ["operate", "read-only off"],
      ],
    );
  });

  test("by the configuration follows a reload that changes it, either way", async () => {
    let current = settingsOf(readOnly);
    const serving = await serve(current, { version: "test", settings: async () => current });
    try {
      assert.equal((await pushBlob(serving.origin, "a", "x")).status, 405);
      assert.equal(existsSync(data), false);
      for (const [set, status] of [
        [[], 201],
        [[readOnly], 405],
        [[], 201],
      ] as const) {
        current = settingsOf(...set);
        await serving.reload();
        assert.equal((await pushBlob(serving.origin, "a", `${status}`)).status, status);
      }
    } finally {
      await serving.stop(never);
    }
  });

  for (const order of ["after", "before"] as const)
    test(`registries stand beside one that writes, started ${order} it, and each is asked by its own settings`, async () => {
      const [writer, reader] = [settingsOf(), settingsOf(readOnly)];
      const all = order === "after" ? [writer, reader, reader] : [reader, reader, writer];
      await served(all, async (...registries) => {
        const at = order === "after" ? 0 : 2;
        const origin = registries[at]?.origin ?? assert.fail();
        assert.equal((await pushBlob(origin, "a", "shared")).status, 201);
        for (const [i, each] of registries.entries()) {
          assert.deepEqual(await pullBlob(each.origin, "a", "shared"), [200, "shared"]);
          assert.equal((await pushBlob(each.origin, "a", `${i}`)).status, i === at ? 201 : 405);
        }
        assert.equal((await statusOf(writer))["origin"], origin);
        const { origin: asked, readOnly: only, writes } = await statusOf(reader);
        assert.ok(asked !== origin && registries.some((each) => each.origin === asked));
        assert.deepEqual([only, writes], [true, false]);
        // What changes something is done by the writer.
        assert.equal((await maintain(reader, silent, (client) => client.ask("gc", { lease: 0 }))).dryRun, false);
        await assert.rejects(async () => (await running(reader))?.ask("read-only", { on: false }), { code: "LOCKED" });
        assert.equal((await statusOf(reader))["readOnly"], true);
      });
    });

  test("of a volume that cannot be written is how it is served, whatever was said", { skip: noMounts }, async () => {
    mountMemory(data);
    try {
      await served([settingsOf()], async ({ origin }) => void (await pushBlob(origin, "a", "x")));
      await rm(join(data, "dray"), { recursive: true });
      mount("-o", "remount,ro", data);
      for (const settings of [settingsOf(), settingsOf(readOnly)])
        await served([settings], async ({ origin }) => {
          assert.deepEqual(await pullBlob(origin, "a", "x"), [200, "x"]);
          assert.equal((await pushBlob(origin, "a", "y")).status, 405);
          const { status, mode } = JSON.parse((await ask(origin, "GET", "/readyz")).text);
          assert.deepEqual([status, mode], ["ready", "read-only"]);
          const client = (await running(settings)) ?? assert.fail();
          await assert.rejects(client.ask("read-only", { on: false }), { code: "DISK", message: /read-only/ });
        });
      for (const name of ["verify", "gc"] as const)
        await maintain(settingsOf(), { ...silent, reads: true }, (client) => client.ask(name, {}));
      await maintain(settingsOf(), silent, (client) => client.ask("check", {}));
    } finally {
      unmount(data);
    }
  });
});

describe("a volume mounted below its root", { skip: noMounts }, () => {
  for (const level of ["docker", "docker/registry", "docker/registry/v2"])
    test(`at ${level} is served, with index and control socket on it`, async () => {
      const at = join(data, level);
      mountMemory(at);
      try {
        await served([settingsOf()], async ({ origin }) => {
          assert.equal((await pushBlob(origin, "a", "x")).status, 201);
          assert.equal((await statusOf(settingsOf()))["origin"], origin);
          const names = await readdir(join(at, "dray"));
          for (const name of ["control.sock", "index.db", "volume.lock"]) assert.ok(names.includes(name), name);
        });
        assert.equal(existsSync(join(data, "dray")), false);
      } finally {
        unmount(at);
      }
    });
});

describe("what is in the way of a control socket", () => {
  for (const [title, elsewhere] of [
    ["goes on without it", undefined],
    ["has it in the folder for such things", "run"],
  ] as const)
    test(title, async () => {
      if (elsewhere === undefined) delete process.env["XDG_RUNTIME_DIR"];
      await mkdir(join(data, "dray/control.sock/x"), { recursive: true });
      await served([settingsOf()], async ({ origin }) => {
        assert.equal((await pushBlob(origin, "a", "x")).status, 201);
        const client = await running(settingsOf());
        assert.equal((await client?.ask("status", {}))?.["origin"], elsewhere && origin);
        if (elsewhere === undefined) return;
        const { blobs } = await maintain(settingsOf(), silent, (writer) => writer.ask("verify", {}));
        assert.equal(blobs, 1);
      });
    });
});

test("a registry whose volume another process has taken writes no more", async () => {
  const driver = await filesystemDriver(data, { lock: lockVolume });
  await rm(join(data, "dray"), { recursive: true });
  const second = await filesystemDriver(data, { lock: lockVolume });
  const lost = Promise.withResolvers<string>();
  const alive = setInterval(() => {}, 1000);
  const job = keeping(driver.volume, undefined, { lost: async (why) => lost.resolve(why) }, () => {}, 1);
  assert.match(await lost.promise, /is held by/);
  clearInterval(alive);
  await job.stop();
  await second.close();
  await driver.close();
});
