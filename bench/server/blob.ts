/** `server-blob`: large answers to one client, four and sixteen, and what small requests wait meanwhile. */
import type { Measurement } from "../measurements.ts";
import { type Column, figure, inTurn, ratio, type Samples, serverTable, verdict } from "./compare.ts";
import { download } from "./downloads.ts";
import { type LargeBlob, largeBlob } from "./inputs.ts";
import { present } from "./servers.ts";
import { fillImage, repository, tag } from "./trees/image.ts";
import { spending, withServers } from "./with-servers.ts";

const MiB = 1024 * 1024;
const speed: Column = { key: "speed", title: "MB/s" };
const perCpu: Column = { key: "perCpu", title: "MB a CPU second" };
const p99: Column = { key: "p99", title: "p99 of small ms", digits: 2 };
const columns: readonly Column[] = [speed, perCpu, { key: "cores", title: "cores", digits: 2 }, p99];

/** Of 64 MiB, so often that the start of the clients does not count. */
const times = (size: number, clients: number): number =>
  size > 64 * MiB ? Math.ceil(4 / clients) : Math.ceil(96 / clients);

const promises = (samples: Samples, clients: number): string[] => {
  const to = "registry 3";
  const least = clients === 1 ? 1 : 0.75;
  const most = clients === 4 ? 10 : 20;
  return [
    verdict(`of registry 3's bytes per second, at least ${least}`, ratio(samples, to, speed), (seen) => seen >= least),
    ...(clients === 1
      ? []
      : [verdict(`p99 of small requests, under ${most} ms`, figure(samples, "dray", p99), (seen) => seen < most)]),
    ...(clients === 16
      ? [verdict("of registry 3's bytes per CPU second, at least 1", ratio(samples, to, perCpu), (seen) => seen >= 1)]
      : []),
  ];
};

const overTls = (samples: Samples): string[] => [
  verdict(
    "of registry 3's bytes per second, at least 0.75",
    ratio(samples, "registry 3", speed),
    (seen) => seen >= 0.75,
  ),
  verdict(
    "of registry 3's bytes per CPU second, at least 0.75",
    ratio(samples, "registry 3", perCpu),
    (seen) => seen >= 0.75,
  ),
];

export const blob: Measurement["run"] = async ({ rounds, say }) => {
  const { here, missing } = present();
  const blobs: LargeBlob[] = [await largeBlob(64), await largeBlob(1024)];
  for (const tls of [false, true])
    await withServers(
      here,
      { tls },
      (name, data) => fillImage(name, data, blobs),
      async (of) => {
        for (const { digest, size } of blobs)
          for (const clients of [1, 4, 16]) {
            const path = `/v2/${repository}/blobs/${digest}`;
            const small = `/v2/${repository}/manifests/${tag}`;
            const get = (name: (typeof here)[number]) =>
              download(of(name), { path, size, clients, times: times(size, clients), small });
            const samples = await inTurn(here, rounds, async (name) => {
              const { bytes, seconds, p99, cpu } = await spending(of(name), () => get(name));
              return { speed: bytes / seconds / 1e6, perCpu: bytes / cpu / 1e6, cores: cpu / seconds, p99 };
            });
            const title = `blob GET ${size / MiB} MiB${tls ? " over TLS" : ""}, ${clients} ${clients === 1 ? "client" : "clients"}`;
            say(
              [
                serverTable(title, columns, samples),
                ...(tls ? overTls(samples) : promises(samples, clients)),
                ...missing,
                "",
              ].join("\n"),
            );
          }
      },
    );
};
