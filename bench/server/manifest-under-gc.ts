/** `server-gc`: the latest answers of Dray while it collects garbage without a rest, beside those without. */
import { mkdirSync } from "node:fs";
import type { Measurement } from "../measurements.ts";
import { type Column, figure, type Sample, serverTable, verdict } from "./compare.ts";
import { ask, indexWhole } from "./control.ts";
import { someManifest, writeManifests } from "./inputs.ts";
import { present, type Server, startServer } from "./servers.ts";
import { DistributionTree } from "./trees/distribution.ts";
import { withFolder } from "./trees/image.ts";
import { wrk } from "./wrk.ts";

const kept = 20_000;
const garbage = 5000;
const options = { connections: 16, seconds: 5 } as const;

const without: Column = { key: "without", title: "p99 ms without", digits: 2 };
const during: Column = { key: "during", title: "p99 ms during", digits: 2 };
const columns: readonly Column[] = [
  without,
  during,
  { key: "rateWithout", title: "requests/s without" },
  { key: "rate", title: "requests/s during" },
  { key: "runs", title: "runs" },
  { key: "removed", title: "blobs removed" },
];

export const underCollection: Measurement["run"] = async ({ rounds, say }) => {
  const { here, missing } = present(["dray"]);
  if (here.length === 0) return say(`${missing.join("\n")}\n`);
  await withFolder(async (data) => {
    mkdirSync(data, { recursive: true });
    writeManifests(data, kept);
    const server = await startServer("dray", { data });
    try {
      const url = `${server.origin}/v2/${someManifest.repository}/manifests/${someManifest.tag}`;
      await indexWhole(server.control);
      await wrk(url, { ...options, seconds: 2 });
      const samples: Sample[] = [];
      for (let round = 0; round < rounds; round++) samples.push(await oneRound(server, url));
      const all = new Map([["dray", samples] as const]);
      const [calm, busy] = [figure(all, "dray", without), figure(all, "dray", during)];
      say(serverTable(`manifest GET while garbage is collected, ${kept} manifests`, columns, all));
      say(
        verdict(
          "p99 during collection, at most 2 times the one without, or 5 ms",
          busy,
          (seen) => seen <= Math.max(2 * (calm ?? 0), 5),
        ),
      );
      say("");
    } finally {
      await server.stop();
    }
  });
};

const oneRound = async (server: Server, url: string): Promise<Sample> => {
  addGarbage(server.data);
  const calm = await wrk(url, options);
  let [runs, removed, over] = [0, 0, false];
  const collecting = (async () => {
    while (!over) {
      const { blobs } = await ask(server.control, "gc", {});
      removed += Number(blobs);
      runs++;
    }
  })();
  const busy = await wrk(url, options).finally(() => {
    over = true;
  });
  await collecting;
  const sample = { without: calm.p99, during: busy.p99, rateWithout: calm.rate, rate: busy.rate, runs, removed };
  process.stderr.write(`  ${JSON.stringify(sample)}\n`);
  return sample;
};

/** Blobs of repositories whose manifests do not name them, as a push that ended halfway leaves them. */
const addGarbage = (data: string): void => {
  const tree = new DistributionTree(data);
  for (let i = 0; i < garbage; i++)
    tree.layer(i % 2 === 0 ? someManifest.repository : "team-0/service-0", tree.blob(`${Math.random()} ${i}`));
};
