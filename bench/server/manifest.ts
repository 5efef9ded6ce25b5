/** `server-manifest`: small answers, as many as a server gives. */
import type { Measurement } from "../measurements.ts";
import { type Column, inTurn, ratio, type Sample, type Samples, serverTable, verdict } from "./compare.ts";
import { drive } from "./drivers/drive.ts";
import type { HeadsOptions, HeadsResult } from "./drivers/heads.ts";
import { present, type Server } from "./servers.ts";
import { fillImage, manifestDigest, repository, tag } from "./trees/image.ts";
import { spending, withServers } from "./with-servers.ts";
import { accept, wrk } from "./wrk.ts";

const connections = 16;
const seconds = 4;

const rate: Column = { key: "rate", title: "requests/s" };
const p99: Column = { key: "p99", title: "p99 ms", digits: 2 };
const columns: readonly Column[] = [
  rate,
  p99,
  { key: "microseconds", title: "CPU µs a request", digits: 1 },
  { key: "cores", title: "cores", digits: 2 },
];

interface Answers {
  readonly count: number;
  readonly rate: number;
  readonly p99: number;
}

const sampleOf = async (server: Server, work: () => Promise<Answers>): Promise<Sample> => {
  const { rate, p99, count, cpu, wall } = await spending(server, work);
  return { rate, p99, microseconds: (cpu / count) * 1e6, cores: cpu / wall };
};

const heads = ({ host }: Server, path: string): Promise<HeadsResult> =>
  drive("heads", { port: Number(host.split(":")[1]), path, accept, connections, seconds } satisfies HeadsOptions);

const promises = (samples: Samples): string[] => [
  verdict("times docker-registry's rate, at least 20", ratio(samples, "docker-registry", rate), (seen) => seen >= 20),
  verdict("times registry 3's rate, at least 5", ratio(samples, "registry 3", rate), (seen) => seen >= 5),
  verdict("times zot's rate, at least 1.5", ratio(samples, "zot", rate), (seen) => seen >= 1.5),
  ...(["docker-registry", "registry 3", "zot"] as const).map((name) =>
    verdict(`of ${name}'s p99, below 1`, ratio(samples, name, p99), (seen) => seen < 1),
  ),
];

export const manifest: Measurement["run"] = async ({ rounds, say }) => {
  const { here, missing } = present();
  await withServers(here, {}, fillImage, async (of) => {
    const measured = async (
      title: string,
      path: string,
      ask: (server: Server) => Promise<Answers>,
      promised: (samples: Samples) => string[],
    ): Promise<void> => {
      for (const name of here) await wrk(`${of(name).origin}${path}`, { connections, seconds: 2 });
      const samples = await inTurn(here, rounds, (name) => sampleOf(of(name), () => ask(of(name))));
      say([serverTable(title, columns, samples), ...promised(samples), ...missing, ""].join("\n"));
    };
    for (const [word, reference] of [
      ["tag", tag],
      ["digest", manifestDigest],
    ] as const) {
      const path = `/v2/${repository}/manifests/${reference}`;
      await measured(
        `manifest GET by ${word}, wrk, ${connections} connections`,
        path,
        ({ origin }) => wrk(`${origin}${path}`, { connections, seconds }),
        promises,
      );
    }
    const path = `/v2/${repository}/manifests/${tag}`;
    await measured(
      `manifest HEAD by tag, own client, ${connections} connections`,
      path,
      (server) => heads(server, path),
      () => [],
    );
  });
};
