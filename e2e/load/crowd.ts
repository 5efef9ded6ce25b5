import assert from "node:assert/strict";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chanceOf, seededBytes } from "@dray/testkit";
import type { Digest } from "dray/oci";
import { type Graph, imageOf, layerOf } from "./content.ts";
import { HttpClient } from "./http.ts";
import { liveContent, tagsOf } from "./live.ts";
import { expect, pullManifest, pullWhole, pushGraph, Wrong } from "./push.ts";
import { operate, startServer } from "./served.ts";

export interface CrowdOptions {
  readonly data: string;
  readonly seed: number;
  /** Tags that are deleted. */
  readonly tags: number;
  /** Grace and lease, in milliseconds. */
  readonly wait: number;
  /** Milliseconds of load at least. */
  readonly load: number;
}

export interface CrowdSums {
  readonly pushed: number;
  readonly pulled: number;
  readonly deleted: number;
  /** Bytes of all files of the tree, and of what tags lead to. */
  readonly disk: number;
  readonly live: number;
  /** What it had at the most. */
  readonly most: number;
  /** Milliseconds from the end of the load until the disk had no more than it should. */
  readonly settled: number;
}

const repository = "crowd/app";
const clients = 8;
/** Tags that a client keeps. */
const kept = 4;

/**
 * Clients push and pull while tags are deleted by the hundred and garbage is collected again and again. None of them meets an error,
 * and in the end the disk holds what is used.
 * @throws what the server should not have done
 */
export const crowd = async ({ data, seed, tags, wait, load }: CrowdOptions): Promise<CrowdSums> => {
  const server = await startServer(data, [
    `dray.gc.grace=${wait}ms`,
    `dray.gc.lease=${wait}ms`,
    "dray.gc.interval=500ms",
    "dray.retention.untagged=1ms",
  ]);
  const https = Array.from({ length: clients }, () => new HttpClient(server.origin));
  const [first] = https as [HttpClient];
  const sums = { pushed: 0, pulled: 0, deleted: 0, most: 0 };
  try {
    const old = Array.from({ length: tags }, (_, i) => `old-${i}`);
    const waiting = old.values();
    await together(https, async (http, id) => {
      for (const tag of waiting) {
        const image = oldImage(seed, Number(tag.slice(4)));
        await pushGraph(image, tag, { http, repository, chance: chanceOf(seed + id) });
      }
    });
    sums.most = await sizeOf(join(data, "docker"));
    const until = performance.now() + load;
    const deleting = shuffled(old, seed).values();
    let isDone = false;
    const own = await together([...https, new HttpClient(server.origin)], async (http, id) => {
      if (id === clients) {
        for (const tag of deleting) {
          await expect(http, "DELETE", `/v2/${repository}/manifests/${tag}`, [202]);
          sums.deleted++;
        }
        isDone = true;
        http.close();
        return new Map<string, Graph>();
      }
      return work(http, { id, seed, tags, wait, sums, isOver: () => isDone && performance.now() > until });
    });
    const begun = performance.now();
    const wanted = new Map(own.flatMap((each) => [...each]));
    assert.deepEqual((await tagsOf(first, repository)).sort(), [...wanted.keys()].sort());
    for (const [tag, graph] of wanted) {
      assert.equal((await pullManifest(first, repository, tag))?.digest, graph.root, tag);
      assert.deepEqual(await pullWhole(first, repository, graph.root), [], tag);
    }
    const { disk, live } = await settle(data, first);
    const settled = performance.now() - begun;
    const found: unknown[] = [];
    await operate(data, async (client) => {
      await client.ask("check", {}, { onProgress: (difference) => found.push(difference) });
      await client.ask("verify", {}, { onProgress: (damage) => found.push(damage) });
    });
    assert.deepEqual(found, []);
    assert.deepEqual(server.complaints(), []);
    return { ...sums, disk, live, settled };
  } finally {
    for (const http of https) http.close();
    await server.kill();
  }
};

/** Large enough that links count for little, with a layer of its own and one that others share. */
const oldImage = (seed: number, number: number): Graph =>
  imageOf(`${seed} old ${number}`, [seededBytes(`${seed} own ${number % 50}`, 20_000 + number), layerOf(number % 12)]);

interface Load {
  readonly id: number;
  readonly seed: number;
  readonly tags: number;
  readonly wait: number;
  readonly sums: { pushed: number; pulled: number };
  readonly isOver: () => boolean;
}

/** Pushes what shares layers with what is being deleted, pulls it back, and what others have. Tells what its tags stand for. */
const work = async (http: HttpClient, { id, seed, tags, wait, sums, isOver }: Load): Promise<Map<string, Graph>> => {
  const chance = chanceOf(seed * 31 + id);
  const own = new Map<string, Graph>();
  for (let i = 0; !isOver(); i++) {
    const tag = `c${id}-${i % kept}`;
    const of = chance.below(tags);
    const layers = [...oldImage(seed, of).blobs.values()].slice(1);
    const graph = imageOf(`${seed} ${id} ${i}`, [
      ...layers,
      seededBytes(`${seed} ${id} ${i}`, 1000 + chance.below(60_000)),
    ]);
    // As with a large layer: what was promised first has to be there for long.
    const dawdle = async (): Promise<void> => void (chance.next() < 0.3 && (await sleep(chance.next() * 0.6 * wait)));
    for (let took = wait; took >= wait; ) took = await pushGraph(graph, tag, { http, repository, chance, dawdle });
    own.set(tag, graph);
    sums.pushed++;
    const missing = await pullWhole(http, repository, graph.root);
    if (missing.length > 0) throw new Wrong(`just pushed and not whole: ${missing.join(", ")}`);
    sums.pulled++;
    // Somebody else's may be replaced or deleted between two requests, and is never wrong.
    const other = await pullManifest(
      http,
      repository,
      chance.next() < 0.5 ? `old-${of}` : `c${chance.below(clients)}-0`,
    );
    if (other !== undefined) await pullWhole(http, repository, other.digest, new Set<Digest>());
    if (chance.next() < 0.1) {
      await expect(http, "DELETE", `/v2/${repository}/manifests/${tag}`, [202]);
      own.delete(tag);
    }
  }
  return own;
};

/** Waits until no more than a twentieth of the disk is garbage: two minutes at most. */
const settle = async (data: string, http: HttpClient): Promise<{ disk: number; live: number }> => {
  const live = [...(await liveContent(http, [repository])).values()].reduce((sum, size) => sum + size, 0);
  for (const until = performance.now() + 120_000; ; ) {
    const disk = await sizeOf(join(data, "docker"));
    if (disk <= live * 1.05) return { disk, live };
    if (performance.now() > until) throw new Error(`${live} bytes are live, ${disk} on the disk after two minutes`);
    await sleep(200);
  }
};

/** Bytes of all files below a folder; what goes while it is looked at counts for nothing. */
const sizeOf = async (folder: string): Promise<number> => {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    sum += entry.isDirectory() ? await sizeOf(path) : ((await lstat(path).catch(() => undefined))?.size ?? 0);
  }
  return sum;
};

const together = <T>(https: readonly HttpClient[], work: (http: HttpClient, id: number) => Promise<T>): Promise<T[]> =>
  Promise.all(https.map(work));

const shuffled = <T>(list: readonly T[], seed: number): T[] => {
  const chance = chanceOf(seed);
  return list
    .map((item) => ({ item, at: chance.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
};
