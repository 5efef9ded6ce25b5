/** Ctrl-C in the middle: exit code 130, nothing under a final name, and the same command again completes it. Two at the same place. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type Effect,
  faults,
  hold,
  type Listener,
  listen,
  memoryRegistry,
  put,
  sampleImage,
  stall,
} from "@dray/testkit";
import { type Sandbox, workshop } from "./dray.ts";
import { checkFolder, checkRefusal, wordsOf } from "./refusal.ts";

const MiB = 1024 * 1024;
const image = sampleImage({ seed: "interrupt", layers: 3, layerSize: 2 * MiB });
const layer = image.layers[1]?.digest;

/** A fault that lasts until it is lifted, and tells when it was met. */
const trap = (effect: Effect): { effect: Effect; met: Promise<void>; lift: () => void } => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let lifted = false;
  return {
    met: promise,
    lift: () => {
      lifted = true;
    },
    effect: (request, next) => {
      if (lifted) return next(request);
      resolve();
      return effect(request, next);
    },
  };
};

interface Site {
  readonly folder: string;
  readonly source: Listener;
  readonly target: Listener;
  readonly registry: ReturnType<typeof memoryRegistry>;
  /** Something that is stuck, and what frees it. */
  readonly stuck: { readonly met: Promise<void>; readonly lift: () => void };
  words(command: string): string[];
}

/** Registries where every copy gets stuck in the middle: at the source, or at the target's uploads. */
const siteOf = async (shop: Sandbox, name: string, at: "source" | "target"): Promise<Site> => {
  const folder = shop.path(name.replaceAll(" ", "-"));
  await mkdir(folder);
  const [from, registry] = [memoryRegistry(), memoryRegistry()];
  put(from, "demo/app", "v1", image);
  const stuck = trap(at === "source" ? stall(MiB) : hold(new Promise(() => {}), "after"));
  const reading = { method: "GET", target: `/blobs/${layer}`, effect: stuck.effect };
  const writing = { method: "PUT", target: "/blobs/uploads/", nth: [2, 99] as const, effect: stuck.effect };
  const source = await listen(at === "source" ? faults(from.handler, [reading]) : from.handler);
  const target = await listen(at === "target" ? faults(registry.handler, [writing]) : registry.handler);
  const places = { IMAGE: `${source.host}/demo/app:v1`, TO: `${target.host}/to/app:v1`, OUT: join(folder, "image") };
  return {
    folder,
    source,
    target,
    registry,
    stuck,
    words: (command) => wordsOf(command, { ...places, SAVED: shop.path("layout") }),
  };
};

const ended = async (child: ChildProcess): Promise<{ code: number | null; stderr: string }> => {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
};

const locks = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes(".lock-"));

describe("Ctrl-C", { concurrency: 3 }, () => {
  let shop: Sandbox;
  before(async () => {
    shop = await workshop();
    const registry = memoryRegistry();
    put(registry, "demo/app", "v1", image);
    const server = await listen(registry.handler);
    await shop.ok(["pull", "--format", "oci", `${server.host}/demo/app:v1`, shop.path("layout")]);
    await server.close();
  });
  after(() => shop.close());

  const cases: readonly [name: string, command: string, at: "source" | "target", check: string | undefined][] = [
    ["pull to a tarball", "pull IMAGE OUT", "source", "validate --tarball OUT"],
    ["pull to a tarball of the old form", "pull --format legacy IMAGE OUT", "source", "validate --tarball OUT"],
    ["pull to a layout", "pull --format oci IMAGE OUT", "source", "validate oci:OUT"],
    ["cp to an OCI archive", "cp IMAGE oci-archive:OUT", "source", "validate oci-archive:OUT"],
    ["cp between registries, reading", "cp IMAGE TO", "source", "validate TO"],
    ["cp between registries, writing", "cp IMAGE TO", "target", "validate TO"],
    ["push", "push SAVED TO", "target", "validate TO"],
    ["validate", "validate IMAGE", "source", undefined],
  ];
  for (const [name, command, at, check] of cases)
    test(name, { timeout: 60_000 }, async () => {
      const site = await siteOf(shop, name, at);
      const child = shop.start(site.words(command));
      const end = ended(child);
      await Promise.race([site.stuck.met, end]);
      child.kill("SIGINT");
      const { code, stderr } = await end;
      assert.equal(code, 130);
      assert.match(
        stderr,
        /^Error: interrupted(?:; (?:what arrived (?:whole )?is kept, and )?the same command goes on with (?:it|what the registry has kept of it))?\n$/,
      );
      await checkFolder(site.folder, name);
      assert.deepEqual([site.registry.tags("to/app"), await locks(site.folder)], [[], []]);
      site.stuck.lift();
      await shop.ok(site.words(command));
      if (check !== undefined) assert.match(await shop.ok(site.words(check)), /^PASS/);
      await Promise.all([site.source.close(), site.target.close()]);
    });

  for (const [name, command] of [
    ["the same archive", "pull IMAGE OUT"],
    ["the same layout", "pull --format oci IMAGE OUT"],
  ] as const)
    test(`two at ${name}: the second is told who is there, and takes over from the dead`, {
      timeout: 60_000,
    }, async () => {
      const site = await siteOf(shop, name, "source");
      const child = shop.start(site.words(command));
      const end = ended(child);
      await Promise.race([site.stuck.met, end]);
      const says = new RegExp(
        `image is in use by process ${child.pid} on .*; wait until that is done, or if it is not`,
      );
      checkRefusal(await shop.dray(site.words(command)), { code: 1, says }, command);
      child.kill("SIGKILL");
      await end;
      site.stuck.lift();
      await shop.ok(site.words(command));
      assert.deepEqual(await locks(site.folder), []);
      await Promise.all([site.source.close(), site.target.close()]);
    });
});
