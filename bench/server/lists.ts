/** `server-lists`: the first page of long lists. */
import type { Measurement } from "../measurements.ts";
import { type Column, figure, type Sample, type Samples, serverTable, verdict } from "./compare.ts";
import { indexWhole } from "./control.ts";
import { get } from "./get.ts";
import { counts, listsTree, referrersRepository, subjectDigest, tagsRepository } from "./inputs.ts";
import { fineCpuSeconds } from "./process.ts";
import { present, type Server, type ServerName, startServer } from "./servers.ts";
import { spending } from "./with-servers.ts";
import { wrk } from "./wrk.ts";

const cpu: Column = { key: "cpu", title: "CPU ms a page", digits: 2 };
const columns: readonly Column[] = [
  cpu,
  { key: "p50", title: "median ms", digits: 2 },
  { key: "first", title: "first of all: ms", digits: 1 },
  { key: "firstCpu", title: "its CPU ms", digits: 1 },
  { key: "kilobytes", title: "KB a page" },
];

const lists = [
  [`tags/list of ${counts.tags} tags`, `/v2/${tagsRepository}/tags/list?n=1000`],
  [`catalog of ${counts.repositories} repositories`, "/v2/_catalog?n=1000"],
  [`referrers of ${counts.referrers}`, `/v2/${referrersRepository}/referrers/${subjectDigest}`],
] as const;

/** The first answer of a server that nobody has asked yet, then the same again and again. */
const pageOf = async (server: Server, path: string): Promise<Sample> => {
  const [begun, before] = [performance.now(), fineCpuSeconds(server.pid)];
  const { status, bytes } = await get(`${server.origin}${path}`);
  if (status === 404) return {};
  if (status !== 200) throw new Error(`${path} was answered ${status}`);
  const [first, firstCpu] = [performance.now() - begun, (fineCpuSeconds(server.pid) - before) * 1000];
  const { cpu, count, p50 } = await spending(server, () =>
    wrk(`${server.origin}${path}`, { connections: 1, seconds: 3 }),
  );
  return { cpu: (cpu / count) * 1000, p50, first, firstCpu, kilobytes: bytes / 1000 };
};

export const listing: Measurement["run"] = async ({ rounds, say }) => {
  const { here, missing } = present();
  const all = lists.map((): Samples => new Map());
  for (let round = 0; round < rounds; round++)
    for (const name of here) {
      const server = await startServer(name, { data: await listsTree(name) });
      try {
        if (name.startsWith("dray")) await indexWhole(server.control);
        for (const [i, [, path]] of lists.entries()) add(all[i] as Samples, name, await pageOf(server, path));
      } finally {
        await server.stop();
      }
    }
  for (const [i, [title]] of lists.entries()) {
    const samples = all[i] as Samples;
    say(serverTable(`${title}, first page of at most 1,000`, columns, samples));
    say(
      [
        verdict("ms of server CPU for a page, under 5", figure(samples, "dray", cpu), (seen) => seen < 5),
        ...missing,
        "- docker-registry answers all tags at once; it and registry 3 know no referrers",
        "",
      ].join("\n"),
    );
  }
};

const add = (samples: Samples, name: ServerName, sample: Sample): void => {
  samples.set(name, [...(samples.get(name) ?? []), sample]);
  process.stderr.write(`  ${name}: ${JSON.stringify(sample)}\n`);
};
