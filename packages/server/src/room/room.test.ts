import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exchange } from "@dray/testkit";
import { seededBytes } from "@dray/testkit/files";
import { DrayError } from "dray/errors";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { RegistryOptions } from "../options.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { type Driver, memoryDriver } from "../storage/index.ts";
import { parseQuotas } from "./quotas.ts";
import { Room } from "./room.ts";

const opened = (options: Partial<RegistryOptions>): Registry => createRegistry({ driver: memoryDriver(), ...options });

/** Pushes a blob in one request. */
const push = async (registry: Registry, repository: string, size: number, seed = size): Promise<number> => {
  const body = seededBytes(seed, size);
  const target = `/v2/${repository}/blobs/uploads/?digest=${digestOf(body)}`;
  return (await exchange(registry, "POST", target, { body })).status;
};

const remove = async (registry: Registry, repository: string, size: number): Promise<number> =>
  (await exchange(registry, "DELETE", `/v2/${repository}/blobs/${digestOf(seededBytes(size, size))}`)).status;

/** A PATCH that brings so many bytes, as docker sends them without a length where there is none, and then waits. */
const patch = async (registry: Registry, repository: string, bytes: Uint8Array, length?: number) => {
  const begun = await exchange(registry, "POST", `/v2/${repository}/blobs/uploads/`);
  const target = begun.header("Location") ?? "";
  const gate = Promise.withResolvers<void>();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += 1000) yield bytes.slice(at, at + 1000);
    await gate.promise;
  }
  const answer = registry({
    method: "PATCH",
    origin: "http://registry",
    target,
    headers: length === undefined ? [] : [["Content-Length", String(length)]],
    body: { length, chunks: chunks(), discard: async () => {} },
  });
  return { begun: begun.status, target, answer, go: gate.resolve };
};

describe("what a repository takes", () => {
  it("is counted anew where that failed, once for all who ask, and a push that ends meanwhile is fine", async () => {
    let [now, counts, fails] = [0, 0, false];
    const gate = { opened: Promise.resolve() };
    const tree = {
      layer: async () => undefined,
      revisionTarget: async () => undefined,
      refuseGone: async () => {
        await gate.opened;
        if (fails) throw new DrayError("DISK", "the disk is gone");
      },
      layers: () => [],
      revisions: () => {
        counts++;
        return [];
      },
    } as unknown as Tree;
    const room = new Room({ tree, freeSpace: 0, quotas: parseQuotas(["a=1KiB"]), now: () => now });
    const digest = digestOf(new Uint8Array(1));
    const unhandled: unknown[] = [];
    const hear = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", hear);
    await room.hold("a", { bytes: 1000 }, async (mine) => {
      await mine.complete(digest, 1000);
      room.forget("a");
      fails = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      gate.opened = promise;
      const other = assert.rejects(
        room.hold("a", { bytes: 1 }, async () => {}),
        /the disk is gone/,
      );
      await new Promise(setImmediate);
      mine.keep();
      resolve();
      await other;
    });
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    process.off("unhandledRejection", hear);
    assert.deepEqual(unhandled, []);
    fails = false;
    for (const later of [0, 600_000]) {
      now += later;
      counts = 0;
      await Promise.all(Array.from({ length: 8 }, () => room.hold("a", { bytes: 10 }, async () => {})));
      assert.equal(counts, 1);
    }
  });
});

describe("the room on the disk", () => {
  /** So much is free, less nothing: what comes is not written yet. */
  const withFree = (free: number): Driver =>
    Object.assign(memoryDriver(), { space: async () => ({ free, total: 1_000_000 }) });

  it("is promised once: of eight uploads side by side that do not fit together those are refused that find no room", async () => {
    const registry = opened({ driver: withFree(100_000), freeSpace: 10_000 });
    const pushed = await Promise.all(Array.from({ length: 8 }, () => patch(registry, "a", new Uint8Array(0), 20_000)));
    const refused: number[] = [];
    for (const { answer } of pushed) void answer.then(({ status }) => refused.push(status));
    while (refused.length < 4) await new Promise(setImmediate);
    assert.deepEqual(refused, [503, 503, 503, 503]);
    assert.equal(await push(registry, "a", 10_000), 201, "what fits beside them is taken");
    for (const { go } of pushed) go();
    await Promise.all(pushed.map(({ answer }) => answer));
    assert.equal(await push(registry, "a", 90_000), 201, "and is given back");
    assert.equal(await push(registry, "a", 90_001), 503);
    await registry.close();
  });

  it("holds for what nobody announced: it is refused while it comes, and what came before stays", async () => {
    const free = { now: 100_000_000 };
    const driver = Object.assign(memoryDriver(), { space: async () => ({ free: free.now, total: 200_000_000 }) });
    const said: string[] = [];
    const registry = opened({ driver, freeSpace: 50_000_000, onNotice: ({ message }) => said.push(message) });
    const begun = await exchange(registry, "POST", "/v2/a/blobs/uploads/");
    const target = begun.header("Location") ?? "";
    let sent = 0;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (; sent < 64; sent++) {
        yield new Uint8Array(1024 * 1024);
        free.now -= 10_000_000;
      }
    }
    const body = { length: undefined, chunks: chunks(), discard: async () => {} };
    assert.equal(
      (await registry({ method: "PATCH", origin: "http://registry", target, headers: [], body })).status,
      503,
    );
    assert.ok(sent < 16, `${sent} MiB came`);
    const stands = await exchange(registry, "GET", target);
    const kept = Number(/^0-(\d+)$/.exec(stands.header("Range") ?? "")?.[1]) + 1;
    assert.deepEqual([stands.status, kept % (1024 * 1024), kept >= 4 * 1024 * 1024], [204, 0, true]);
    assert.equal(await push(registry, "a", 1000), 503);
    assert.equal(said.length, 1, "the operator hears it once in a while");
    assert.match(said[0] ?? "", /dray\.freespace keeps 50\.0 MB free: \d[\d.]* [kM]?B are free/);
    await registry.close();
  });

  it("that is refused leaves a session that keeps nothing from garbage collection", async () => {
    const free = { now: 100_000 };
    const driver = Object.assign(memoryDriver(), { space: async () => ({ free: free.now, total: 1_000_000 }) });
    const registry = opened({ driver, freeSpace: 50_000 });
    const begun = await exchange(registry, "POST", "/v2/a/blobs/uploads/");
    assert.equal(registry.context.uploads.isOpenIn("a"), true);
    free.now = 10;
    const patched = await exchange(registry, "PATCH", begun.header("Location") ?? "", { body: seededBytes(1, 1000) });
    assert.equal(patched.status, 503);
    assert.equal(registry.context.uploads.isOpenIn("a"), false);
    await registry.close();
  });

  it("is nobody's for whoever announces much and sends nothing", async () => {
    let now = 1_000_000;
    const registry = opened({ driver: withFree(100_000), freeSpace: 10_000, now: () => now });
    const stalled = await patch(registry, "a", new Uint8Array(0), 90_000);
    while ((await push(registry, "a", 1)) === 201) await new Promise(setImmediate);
    now += 11_000;
    assert.equal(await push(registry, "a", 50_000), 201);
    stalled.go();
    await stalled.answer;
    await registry.close();
  });
});

describe("a quota", () => {
  it("refuses what would be more, by what the repository holds, says so, and gives back what is deleted", async () => {
    const registry = opened({ quotas: ["team/big=1GiB", "team/**=10000"] });
    assert.equal(await push(registry, "team/app", 6000), 201);
    assert.equal(await push(registry, "team/app", 5000), 403);
    assert.equal(await push(registry, "team/other", 5000), 201, "each repository has its own");
    assert.equal(await push(registry, "team/big", 50_000), 201, "the first that matches counts");
    assert.equal(await push(registry, "elsewhere", 50_000), 201);
    const body = seededBytes(5000, 5000);
    const said = await exchange(registry, "POST", `/v2/team/app/blobs/uploads/?digest=${digestOf(body)}`, { body });
    const [error] = (said.json() as { errors: { code: string; message: string }[] }).errors;
    assert.equal(error?.code, "DENIED");
    assert.match(error?.message ?? "", /team\/app may take 10\.0 kB and has 6\.0 kB/);
    // What another repository has takes as much here.
    const mount = `/v2/team/app/blobs/uploads/?mount=${digestOf(body)}&from=team/other`;
    assert.equal((await exchange(registry, "POST", mount)).status, 403);
    const six = digestOf(seededBytes(6000, 6000));
    assert.equal((await exchange(registry, "DELETE", `/v2/team/app/blobs/${six}`)).status, 202);
    assert.equal((await exchange(registry, "POST", mount)).status, 201);
    const index = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [],
      annotations: { x: "x".repeat(5000) },
    });
    const headers = { "Content-Type": mediaTypes.ociIndex };
    const manifest = () => exchange(registry, "PUT", "/v2/team/app/manifests/v1", { headers, body: index });
    assert.equal((await manifest()).status, 403, "manifests count");
    await registry.close();
  });

  it("that is reached is told to the operator of each repository, in sizes as people read them", async () => {
    const said: string[] = [];
    const registry = opened({ quotas: ["team/**=8MB"], onNotice: ({ message }) => said.push(message) });
    for (const name of ["app", "other", "app"]) assert.equal(await push(registry, `team/${name}`, 8_100_000), 403);
    assert.deepEqual(
      said,
      ["app", "other"].map(
        (name) => `a push is refused: dray.quotas gives team/${name} 8.0 MB: it has 0 B, and 8.1 MB are on their way`,
      ),
    );
    await registry.close();
  });

  it("counts uploads on their way, those without a length as they come", async () => {
    const registry = opened({ quotas: ["a=10000"] });
    const first = await patch(registry, "a", seededBytes(1, 6000));
    while ((await push(registry, "a", 4001)) === 201)
      assert.equal(await remove(registry, "a", 4001), 202, "until all of the first came");
    const second = await patch(registry, "a", seededBytes(2, 6000));
    assert.equal((await second.answer).status, 403);
    assert.equal(await push(registry, "a", 5000), 403);
    first.go();
    assert.equal((await first.answer).status, 202);
    const { target } = second;
    assert.equal((await exchange(registry, "DELETE", target)).status, 204);
    const end = `${first.target}?digest=${digestOf(seededBytes(1, 6000))}`;
    assert.equal((await exchange(registry, "PUT", end)).status, 201);
    assert.equal(await push(registry, "a", 4000), 201);
    assert.equal(await push(registry, "a", 1), 403);
    await registry.close();
  });

  it("is not held by an upload that its client left, and whoever comes back is looked at again", async () => {
    const registry = opened({ quotas: ["a=3000"] });
    const left = await patch(registry, "a", seededBytes(1, 2900));
    left.go();
    assert.equal((await left.answer).status, 202);
    assert.equal(await push(registry, "a", 500), 201);
    const goOn = await exchange(registry, "PATCH", left.target, { body: seededBytes(2, 1) });
    assert.equal(goOn.status, 403, "what came before counts for whoever goes on");
    const end = () => exchange(registry, "PUT", `${left.target}?digest=${digestOf(seededBytes(1, 2900))}`);
    assert.equal((await end()).status, 403);
    await registry.close();
  });

  it("is held by mounts and by manifests until they are linked, however many come side by side", async () => {
    const registry = opened({ quotas: ["a=10000", "b=10000"] });
    const blobs = Array.from({ length: 20 }, (_, i) => seededBytes(100 + i, 4000));
    for (const body of blobs)
      await exchange(registry, "POST", `/v2/from/blobs/uploads/?digest=${digestOf(body)}`, { body });
    const counted = async (answers: Promise<{ status: number }>[]): Promise<[number, number]> => {
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      return [statuses.filter((status) => status === 201).length, statuses.filter((status) => status === 403).length];
    };
    const mount = (body: Uint8Array) =>
      exchange(registry, "POST", `/v2/a/blobs/uploads/?mount=${digestOf(body)}&from=from`);
    assert.deepEqual(await counted(blobs.map(mount)), [2, 18]);
    const put = (_: unknown, i: number) => {
      const annotations = { x: String(i).padEnd(4000, "x") };
      const body = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations });
      const headers = { "Content-Type": mediaTypes.ociIndex };
      return exchange(registry, "PUT", `/v2/b/manifests/v${i}`, { headers, body });
    };
    assert.deepEqual(await counted(blobs.map(put)), [2, 18]);
    await registry.close();
  });

  it("is held by those that move, eight side by side, and the message names them", async () => {
    const registry = opened({ quotas: ["a=10000"] });
    const pushed = await Promise.all(Array.from({ length: 8 }, () => patch(registry, "a", new Uint8Array(0), 2000)));
    const refused: number[] = [];
    for (const { answer } of pushed) void answer.then(({ status }) => refused.push(status));
    while (refused.length < 3) await new Promise(setImmediate);
    assert.deepEqual(refused, [403, 403, 403]);
    assert.equal((await exchange(registry, "POST", "/v2/a/blobs/uploads/")).status, 202, "a beginning needs none");
    const body = seededBytes(9, 10);
    const more = await exchange(registry, "POST", `/v2/a/blobs/uploads/?digest=${digestOf(body)}`, { body });
    const [error] = (more.json() as { errors: { message: string }[] }).errors;
    assert.match(
      error?.message ?? "",
      /has 0 B and 5 uploads under way with 10\.0 kB, .* wait for their end, .*dray serve gc/,
    );
    for (const { go } of pushed) go();
    await Promise.all(pushed.map(({ answer }) => answer));
    await registry.close();
  });

  it("takes what the repository has already, however full it is: blobs in every form and manifests", async () => {
    const driver = memoryDriver();
    const before = opened({ driver });
    assert.equal(await push(before, "a", 6000), 201);
    const manifest = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
    const tag = (registry: Registry, name: string, body: Uint8Array) =>
      exchange(registry, "PUT", `/v2/a/manifests/${name}`, { headers: { "Content-Type": mediaTypes.ociIndex }, body });
    assert.equal((await tag(before, "v1", manifest)).status, 201);
    await before.close();
    const registry = opened({ driver, quotas: ["a=5000"] });
    assert.equal(await push(registry, "a", 6000), 201, "in one request");
    const session = (await exchange(registry, "POST", "/v2/a/blobs/uploads/")).header("Location") ?? "";
    const body = seededBytes(6000, 6000);
    assert.equal((await exchange(registry, "PUT", `${session}?digest=${digestOf(body)}`, { body })).status, 201);
    const lied = `/v2/a/blobs/uploads/?digest=${digestOf(body)}`;
    assert.equal(
      (await exchange(registry, "POST", lied, { body: seededBytes(7, 6001) })).status,
      403,
      "more than that",
    );
    assert.equal((await tag(registry, "v2", manifest)).status, 201, "another tag of a manifest");
    assert.equal((await tag(registry, "v3", Buffer.concat([manifest, Buffer.from("\n")]))).status, 403);
    await registry.close();
  });

  it("that is none is refused with its form", () => {
    for (const line of ["team", "team=", "team=many", "=1GiB", "Team=1GiB", "a=1GiB=2"])
      assert.throws(() => parseQuotas([line]), { code: "CONFIG_INVALID" }, line);
    assert.equal(parseQuotas(["team/** = 1.5GiB"])[0]?.bytes, 1.5 * 1024 ** 3);
  });
});
