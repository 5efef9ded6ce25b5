import assert from "node:assert/strict";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { treePaths } from "@dray/server";
import { type Chance, chanceOf } from "@dray/testkit";
import { HttpClient } from "./http.ts";
import { Ledger } from "./ledger.ts";
import { liveContent } from "./live.ts";
import { operate, type Served, startServer } from "./served.ts";
import { verifyLedger } from "./verify.ts";
import { resumeParked, Worker, type WorkerOptions } from "./worker.ts";

export interface KillOptions {
  readonly data: string;
  readonly rounds: number;
  readonly seed: number;
  readonly clients?: number;
  readonly onRound?: (line: string) => void;
}

export interface KillSums {
  rounds: number;
  acknowledged: number;
  tags: number;
  manifests: number;
  resumed: number;
  lost: number;
  blobs: number;
  /** Indexes that were removed or damaged between a kill and a start. */
  hurt: number;
  /** Milliseconds. */
  slowestStart: number;
}

const repositories = ["load/one", "load/two", "three"];

/**
 * Kills a registry at random moments under parallel clients and a garbage collector that hardly waits, starts it again, and compares
 * it with what the clients know. The same volume all the time.
 * @throws with all that is wrong after a round
 */
export const killRounds = async ({
  data,
  rounds,
  seed,
  clients = 6,
  onRound = () => {},
}: KillOptions): Promise<KillSums> => {
  const ledger = new Ledger();
  const chance = chanceOf(seed);
  const sums: KillSums = {
    rounds: 0,
    acknowledged: 0,
    tags: 0,
    manifests: 0,
    resumed: 0,
    lost: 0,
    blobs: 0,
    hurt: 0,
    slowestStart: 0,
  };
  let names = 0;
  for (let round = 1; round <= rounds + 1; round++) {
    const { promised, keys } = manner(chance);
    // In the end nobody else collects.
    if (round > rounds) keys.push("dray.gc.interval=0s");
    const hurt = round > 1 && chance.next() < 0.25 ? await hurtIndex(data, chance) : "";
    if (hurt !== "") sums.hurt++;
    const server = await startServer(data, keys);
    sums.slowestStart = Math.max(sums.slowestStart, server.took);
    const options = (id: number, http: HttpClient): WorkerOptions => ({
      id,
      http,
      ledger,
      chance: chanceOf(seed + round * 1000 + id),
      repositories,
      promised,
      fresh: () => `${seed}-${++names}`,
    });
    try {
      const http = new HttpClient(server.origin);
      // Sometimes it is killed while it still looks through what the last kill left.
      const looks = round > rounds || chance.next() < 0.8;
      if (looks) await lookThrough(data, http, ledger, sums);
      if (round > rounds) await clear(data, http);
      else {
        if (looks) {
          const { resumed, lost } = await resumeParked(options(0, http));
          sums.resumed += resumed;
          sums.lost += lost;
        }
        const acknowledged = await loadAndKill(server, clients, chance, options);
        sums.acknowledged += acknowledged;
        sums.rounds++;
        onRound(
          `round ${round}: ${hurt === "" ? "" : `index ${hurt}, `}${keys.slice(0, 3).join(" ")}: started in ${Math.round(server.took)} ms, ${acknowledged} things done, ${ledger.parked.length} uploads cut off`,
        );
      }
      http.close();
    } finally {
      await (round > rounds ? server.stop() : server.kill());
    }
    const complaints = server
      .complaints()
      .filter((line) => !(hurt !== "" && /index/.test(line)) && !/promised before the start/.test(line));
    assert.deepEqual(complaints, [], `what the server of round ${round} complained of`);
  }
  return sums;
};

/** The index is derived: whatever happens to it, the tree says the same. */
const hurtIndex = async (data: string, chance: Chance): Promise<string> => {
  const [file, log] = [join(data, "dray/index.db"), join(data, "dray/index.db-wal")];
  const how = chance.pick(["removed", "cut", "a page lost", "without its log"]);
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  // The kill before this one came before the registry had made a new one.
  if (bytes === undefined) return "not there yet";
  if (how === "removed") await rm(file);
  if (how === "without its log") await rm(log, { force: true });
  if (how === "cut") await truncate(file, chance.below(bytes.byteLength + 1));
  if (how === "a page lost") {
    const at = 4096 * chance.below(Math.ceil(bytes.byteLength / 4096));
    await writeFile(file, bytes.fill(0, at, Math.min(at + 4096, bytes.byteLength)));
  }
  return how;
};

/** How the registry is run in a round. */
const manner = (chance: Chance): { promised: number | undefined; keys: string[] } => {
  const lease = chance.pick([0, 100, 400, 1000]);
  const promised = lease > 0 && chance.next() < 0.4 ? lease : undefined;
  return {
    promised,
    keys: [
      `dray.gc.grace=${chance.pick(["0s", "0s", "200ms"])}`,
      `dray.gc.lease=${lease}ms`,
      `validation.manifests.indexes.platforms=${promised === undefined ? "all" : "none"}`,
      `dray.gc.interval=${chance.pick([5, 50, 200])}ms`,
      "dray.retention.untagged=1ms",
    ],
  };
};

const loadAndKill = async (
  server: Served,
  clients: number,
  chance: Chance,
  options: (id: number, http: HttpClient) => WorkerOptions,
): Promise<number> => {
  let over = false;
  const https = Array.from({ length: clients }, () => new HttpClient(server.origin));
  const workers = https.map((http, i) => new Worker(options(i + 1, http)));
  const work = Promise.all(workers.map((worker) => worker.work(() => over)));
  const answers = Math.floor(chance.next() ** 2 * 600);
  const enough = async (): Promise<void> => {
    const patience = performance.now() + 8000;
    while (performance.now() < patience && https.reduce((sum, http) => sum + http.answered, 0) < answers)
      await sleep(1);
    await sleep(chance.next() * 5);
  };
  // What goes wrong before the kill is told at once.
  await Promise.race([work, enough()]);
  over = true;
  await server.kill();
  await work;
  for (const http of https) http.close();
  return workers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
};

const lookThrough = async (data: string, http: HttpClient, ledger: Ledger, sums: KillSums): Promise<void> => {
  const { tags, manifests, faults } = await verifyLedger(http, ledger, repositories);
  assert.deepEqual(faults, []);
  sums.tags += tags;
  sums.manifests += manifests;
  const found: unknown[] = [];
  await operate(data, async (client) => {
    while ((await client.ask("status", {}))["whole"] !== true) await sleep(10);
    await client.ask("check", {}, { onProgress: (difference) => found.push(difference) });
    const { blobs } = await client.ask("verify", {}, { onProgress: (damage) => found.push(damage) });
    sums.blobs += blobs;
  });
  assert.deepEqual(found, []);
};

/** In the end nothing is left but what tags lead to. */
const clear = async (data: string, http: HttpClient): Promise<void> => {
  await operate(data, async (client) => {
    await sleep(1100);
    for (let removed = 1; removed > 0; ) {
      const { manifests, layers, blobs } = await client
        .ask("gc", { grace: 0, lease: 0, untagged: 0 })
        .catch((error: unknown) => {
          if (/running already/.test(String(error))) return { manifests: 1, layers: 0, blobs: 0 };
          throw error;
        });
      removed = manifests + layers + blobs;
    }
  });
  const live = new Set<string>((await liveContent(http, repositories)).keys());
  const pool: string[] = [];
  for (const file of await readdir(join(data, treePaths.blobsRoot, "sha256"), { recursive: true }))
    if (file.endsWith("/data")) pool.push(`sha256:${file.split("/").at(-2)}`);
  assert.deepEqual(
    pool.filter((digest) => !live.has(digest)),
    [],
    "garbage that stays for ever",
  );
  assert.deepEqual(await readdir(join(data, "dray/tmp")), []);
};
