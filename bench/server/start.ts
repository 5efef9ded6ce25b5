/** `server-start`: how soon a server serves a tree of 100,000 manifests that it did not write, and when Dray's index is whole. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Measurement } from "../measurements.ts";
import { type Column, figure, inTurn, type Sample, serverTable, verdict } from "./compare.ts";
import { indexWhole } from "./control.ts";
import { get } from "./get.ts";
import { counts, manifestsTree, someManifest } from "./inputs.ts";
import { cpuSeconds, memory, peakMemory } from "./process.ts";
import { present, type Server, startServer } from "./servers.ts";

const served: Column = { key: "manifest", title: "a manifest, ms" };
const columns: readonly Column[] = [
  { key: "accepted", title: "connection, ms" },
  { key: "root", title: "/v2/, ms" },
  served,
  { key: "rss", title: "MiB then" },
  { key: "whole", title: "index whole, s", digits: 2 },
  { key: "wholeCpu", title: "CPU s", digits: 2 },
  { key: "wholeRss", title: "MiB then" },
  { key: "peak", title: "peak MiB", highest: true },
  { key: "again", title: "started again: a manifest, ms" },
  { key: "againWhole", title: "index whole, s", digits: 2 },
];

const answers = async (url: string): Promise<void> => {
  for (;;) {
    const status = await get(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(2);
  }
};

const firstAnswers = async (
  server: Server,
  begun: number,
): Promise<{ root: number; manifest: number; rss: number }> => {
  await answers(`${server.origin}/v2/`);
  const root = performance.now() - begun;
  await answers(`${server.origin}/v2/${someManifest.repository}/manifests/${someManifest.tag}`);
  return { root, manifest: performance.now() - begun, rss: memory(server.pid) };
};

const indexOf = async (server: Server, begun: number): Promise<Sample> => {
  await indexWhole(server.control);
  const { pid } = server;
  return {
    whole: (performance.now() - begun) / 1000,
    wholeCpu: cpuSeconds(pid),
    wholeRss: memory(pid),
    peak: peakMemory(pid),
  };
};

export const start: Measurement["run"] = async ({ rounds, say }) => {
  const { here, missing } = present();
  const samples = await inTurn(here, rounds, async (name) => {
    const data = await manifestsTree(name);
    const run = async (): Promise<Sample> => {
      const begun = performance.now();
      const server = await startServer(name, { data });
      try {
        const { accepted } = server;
        const first = { accepted, ...(await firstAnswers(server, begun)) };
        return name.startsWith("dray") ? { ...first, ...(await indexOf(server, begun)) } : first;
      } finally {
        await server.stop();
      }
    };
    const sample = await run();
    const again = await run();
    const { manifest, whole } = again;
    return {
      ...sample,
      ...(manifest === undefined ? {} : { again: manifest }),
      ...(whole === undefined ? {} : { againWhole: whole }),
    };
  });
  say(
    serverTable(`start on ${counts.manifests} manifests in ${counts.manifests / 100} repositories`, columns, samples),
  );
  say(
    [
      verdict("ms until a manifest is served, under 1000", figure(samples, "dray", served), (seen) => seen < 1000),
      "- the tree is in the page cache; Dray's index is removed before the first of two starts",
      ...missing,
      "",
    ].join("\n"),
  );
};
