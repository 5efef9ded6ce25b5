/**
 * `npm run soak -- [--minutes=30] [--seed=N]`: a registry under mixed load, and whether its memory and its open files stay what they
 * are. Run it by the runtime that is to serve. The first fifth is for warming up; of what comes after, the median of the last third may
 * be an eighth and 16 MiB above that of the first, and a quarter and 16 open files. 0 where both are flat and nobody met an error.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Chance, chanceOf } from "@dray/testkit";
import { isDrayError } from "dray/errors";
import { imageOf } from "../e2e/load/content.ts";
import { HttpClient } from "../e2e/load/http.ts";
import { Ledger } from "../e2e/load/ledger.ts";
import { askWrong, cutUpload, largeBlob, readSlowly } from "../e2e/load/nuisances.ts";
import { pushGraph } from "../e2e/load/push.ts";
import { operate, startServer } from "../e2e/load/served.ts";
import { verifyLedger } from "../e2e/load/verify.ts";
import { Worker } from "../e2e/load/worker.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const lease = 3000;
const keys = [
  "dray.gc.grace=1s",
  `dray.gc.lease=${lease}ms`,
  "dray.gc.interval=2s",
  "dray.retention.untagged=1ms",
  "dray.verify.interval=5s",
  "dray.verify.rate=1GiB",
  "storage.maintenance.uploadpurging.age=30s",
  "storage.maintenance.uploadpurging.interval=10s",
];
const repositories = ["soak/one", "soak/two", "three"];

interface Sample {
  readonly rss: number;
  readonly files: number;
}

const sampleOf = (pid: number): Sample => ({
  rss: Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024,
  files: readdirSync(`/proc/${pid}/fd`).length,
});

const MiB = 1024 * 1024;

const main = async (): Promise<number> => {
  const data = mkdtempSync(join(tmpdir(), "dray-soak-"));
  console.log(`${minutes} minutes, seed ${seed}, data in ${data}`);
  const server = await startServer(data, keys);
  const first = sampleOf(server.pid);
  const counts = new Map<string, number>();
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const ledger = new Ledger();
  let names = 0;
  const fresh = (): string => `${seed} ${++names}`;
  const until = performance.now() + minutes * 60_000;
  const clients: HttpClient[] = [];
  let isFailed = false;
  const isOver = (): boolean => isFailed || performance.now() > until;
  const actor = (id: number): { http: HttpClient; chance: Chance } => {
    const http = new HttpClient(server.origin);
    clients.push(http);
    return { http, chance: chanceOf(seed + id) };
  };
  const again = async (id: number, work: (means: Parameters<typeof cutUpload>[0]) => Promise<void>): Promise<void> => {
    const { http, chance } = actor(id);
    while (!isOver()) await work({ http, chance, count, fresh, repository: chance.pick(repositories) });
  };

  const large = largeBlob(seed);
  const opening = actor(0);
  for (const repository of repositories)
    await pushGraph(imageOf(`large ${seed}`, [large]), "large", { ...opening, repository });
  const workers = [1, 2, 3, 4].map(
    (id) => new Worker({ id, ...actor(id), ledger, repositories, promised: lease, fresh }),
  );
  const samples: Sample[] = [];
  const watch = async (): Promise<void> => {
    const begun = performance.now();
    for (let line = 1; !isOver(); ) {
      await sleep(Math.min(5000, until - performance.now()));
      samples.push(sampleOf(server.pid));
      ledger.tidy();
      if (performance.now() - begun < line * 30_000) continue;
      line++;
      const { rss, files } = samples.at(-1) as Sample;
      const done = workers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
      const said = [...counts].map(([what, many]) => `${many} ${what}`).join(", ");
      const seconds = Math.round((performance.now() - begun) / 1000);
      console.log(
        `${seconds} s: ${Math.round(rss / MiB)} MiB, ${files} files; ${done} pushes, deletions and lists, ${said}`,
      );
    }
  };
  const jobs: Promise<void>[] = [
    ...workers.map((worker) => worker.work(isOver)),
    again(11, cutUpload),
    again(12, cutUpload),
    ...[13, 14, 15].map((id) => again(id, (means) => readSlowly(means, large))),
    again(16, async (means) => {
      await askWrong(means);
      await sleep(50);
    }),
    again(17, async () => {
      await sleep(5000);
      await operate(data, (client) => client.ask("reload", {}));
      count("reloads");
    }),
    watch(),
  ];
  try {
    await Promise.all(jobs);
  } catch (error) {
    isFailed = true;
    await Promise.allSettled(jobs);
    await server.kill();
    throw error;
  }
  for (const http of clients) http.close();
  // Uploads that were left are removed meanwhile.
  await sleep(minutes >= 3 ? 45_000 : 3000);
  const last = sampleOf(server.pid);
  const isRight = await looksRight(server.origin, data, ledger);
  const code = await server.stop();
  const complaints = server.complaints();
  for (const line of complaints) console.log(line);
  console.log(
    `open files: ${first.files} before, ${last.files} after; memory ${Math.round(first.rss / MiB)} MiB before, ${Math.round(last.rss / MiB)} after`,
  );
  const isFlat =
    judge(
      "memory",
      samples.map(({ rss }) => rss / MiB),
      { share: 1 / 8, more: 16 },
    ) &&
    judge(
      "open files",
      samples.map(({ files }) => files),
      { share: 1 / 4, more: 16 },
    );
  rmSync(data, { recursive: true });
  return isRight && isFlat && code === 0 && complaints.length === 0 ? 0 : 1;
};

const looksRight = async (origin: string, data: string, ledger: Ledger): Promise<boolean> => {
  const http = new HttpClient(origin);
  const { tags, manifests, faults } = await verifyLedger(http, ledger, repositories, ["large"]);
  http.close();
  const found: unknown[] = [...faults];
  await operate(data, async (client) => {
    await client.ask("check", {}, { onProgress: (difference) => found.push(difference) });
    // The registry may be at it by itself just then.
    for (;;) {
      try {
        await client.ask("verify", {}, { onProgress: (damage) => found.push(damage) });
        break;
      } catch (error) {
        if (!isDrayError(error, "LOCKED")) throw error;
        await sleep(200);
      }
    }
  });
  for (const fault of found) console.log(typeof fault === "string" ? fault : JSON.stringify(fault));
  console.log(`${tags} tags and what they lead to (${manifests}) looked at: ${found.length} faults`);
  return found.length === 0;
};

/** Compares the first third with the last, after the warming up. */
const judge = (what: string, series: readonly number[], allowed: { share: number; more: number }): boolean => {
  const warm = series.slice(Math.floor(series.length / 5));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [begin, end] = [median(warm.slice(0, third)), median(warm.slice(-third))];
  const isFlat = end <= begin * (1 + allowed.share) + allowed.more;
  console.log(
    `${what}: median ${Math.round(begin)} in the first third, ${Math.round(end)} in the last: ${isFlat ? "flat" : "GROWS"}`,
  );
  return isFlat;
};

const median = (list: readonly number[]): number =>
  list.toSorted((one, other) => one - other)[list.length >> 1] ?? Number.NaN;

process.exitCode = await main();
