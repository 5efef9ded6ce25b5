/** `server-memory`: many uploads at full speed beside many readers that hardly read. */
import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { home } from "../input.ts";
import type { Measurement } from "../measurements.ts";
import { type Column, figure, inTurn, serverTable, verdict } from "./compare.ts";
import type { CrowdOptions, CrowdResult } from "./drivers/crowd.ts";
import { drive } from "./drivers/drive.ts";
import { largeBlob } from "./inputs.ts";
import { memory as memoryNow, peakMemory } from "./process.ts";
import { present, startServer } from "./servers.ts";
import { fillImage, repository, withFolder } from "./trees/image.ts";
import { spending } from "./with-servers.ts";

const crowd = { uploads: 64, readers: 64 } as const;
const GB = 1e9;

const peak: Column = { key: "peak", title: "peak MiB", highest: true };
const columns: readonly Column[] = [
  { key: "before", title: "MiB at the start" },
  peak,
  { key: "after", title: "MiB afterwards" },
  { key: "wall", title: "wall s", digits: 1 },
  { key: "cpu", title: "CPU s", digits: 1 },
];

export const memory: Measurement["run"] = async ({ say, full }) => {
  const megabytes = full ? 1024 : 256;
  const { here, missing } = present();
  const blob = await largeBlob(256);
  const needed = (crowd.uploads * megabytes * 1024 * 1024) / GB;
  const { bavail, bsize } = await statfs(home);
  if ((bavail * bsize) / GB < needed + 2)
    return say(`- not measured: ${Math.ceil(needed + 2)} GB of free disk are needed\n`);
  // Peaks need no median, and each round writes very much.
  const samples = await inTurn(here, 1, (name) =>
    withFolder(async (dir) => {
      const data = join(dir, "data");
      mkdirSync(data);
      fillImage(name, data, [blob]);
      const server = await startServer(name, { data });
      try {
        const before = memoryNow(server.pid);
        const port = Number(server.host.split(":")[1]);
        const options = { port, repository, blob: blob.digest, megabytes, ...crowd } satisfies CrowdOptions;
        const { wall, cpu } = await spending(server, () => drive<CrowdResult>("crowd", options));
        return { before, peak: peakMemory(server.pid), after: memoryNow(server.pid), wall, cpu };
      } finally {
        await server.stop();
      }
    }),
  );
  const title = `memory, ${crowd.uploads} parallel uploads of ${megabytes} MiB and ${crowd.readers} slow readers, one round`;
  say(serverTable(title, columns, samples));
  say([verdict("peak MiB, under 256", figure(samples, "dray", peak), (seen) => seen < 256), ...missing, ""].join("\n"));
};
