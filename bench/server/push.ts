/** `server-push`: one large image by a real client, and many small blobs at a time; each into a registry that is empty. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findPeer, succeed } from "@dray/testkit/peers";
import { random512 } from "../input.ts";
import type { Measurement } from "../measurements.ts";
import { shaInstructions } from "../sha-instructions.ts";
import { type Column, inTurn, ratio, type Sample, serverTable, verdict } from "./compare.ts";
import { drive } from "./drivers/drive.ts";
import type { PushesOptions, PushesResult } from "./drivers/pushes.ts";
import { peakMemory } from "./process.ts";
import { present, type Server, type ServerName, startServer } from "./servers.ts";
import { withFolder } from "./trees/image.ts";
import { spending } from "./with-servers.ts";

const MiB = 1024 * 1024;
const parallel = 32;

const wall: Column = { key: "wall", title: "wall s", digits: 2 };
const rate: Column = { key: "rate", title: "blobs/s" };
const cpu: Column = { key: "cpu", title: "CPU s", digits: 2 };
const peak: Column = { key: "peak", title: "peak MiB", highest: true };

const pushes = (server: Server, repository: string, count: number): Promise<PushesResult> =>
  drive("pushes", { origin: server.origin, repository, count, size: MiB, parallel } satisfies PushesOptions);

/** A server that is warm, holds nothing of what is pushed, and has written what it had to. */
const onFresh = (name: ServerName, measure: (server: Server) => Promise<Sample>): Promise<Sample> =>
  withFolder(async (dir) => {
    const data = join(dir, "data");
    mkdirSync(data);
    const server = await startServer(name, { data });
    try {
      await pushes(server, "bench/warm", 128);
      await succeed(["sync"]);
      return { ...(await measure(server)), peak: peakMemory(server.pid) };
    } finally {
      await server.stop();
    }
  });

/** oras, or what is there in its place, pushing a layout. */
const pusher = (layout: string): { by: string; command: (host: string) => string[] } | undefined => {
  const [oras, skopeo] = [findPeer("oras"), findPeer("skopeo")];
  if (oras !== undefined)
    return {
      by: "oras",
      command: (host) => [
        oras,
        "cp",
        "--no-tty",
        "--from-oci-layout",
        `${layout}:latest`,
        "--to-plain-http",
        `${host}/bench/push:latest`,
      ],
    };
  if (skopeo === undefined) return undefined;
  return {
    by: "skopeo, as oras is missing",
    command: (host) => [
      skopeo,
      "copy",
      "-q",
      "--dest-tls-verify=false",
      `oci:${layout}:latest`,
      `docker://${host}/bench/push:latest`,
    ],
  };
};

export const push: Measurement["run"] = async ({ rounds, say }) => {
  const { here, missing } = present();
  const { layout } = await random512();
  const client = pusher(layout);
  if (client === undefined) say("- missing on this machine: oras and skopeo\n");
  else {
    const samples = await inTurn(here, rounds, (name) =>
      onFresh(name, async (server) => {
        const { wall, cpu } = await spending(server, async () => {
          await succeed(client.command(server.host));
          return {};
        });
        return { wall, cpu };
      }),
    );
    const promise = verdict("of registry 3's wall, at most 1", ratio(samples, "registry 3", wall), (seen) => seen <= 1);
    say(serverTable(`push of 512 MiB in 8 layers by ${client.by}`, [wall, cpu, peak], samples));
    say([promise, ...missing, ""].join("\n"));
  }
  const columns = [rate, cpu, { key: "p99", title: "p99 ms of a blob", digits: 1 }, peak];
  const samples = await inTurn(here, rounds, (name) =>
    onFresh(name, async (server) => {
      const count = 512;
      const { seconds, p99, cpu } = await spending(server, () => pushes(server, "bench/push", count));
      return { rate: count / seconds, cpu, p99 };
    }),
  );
  const least = shaInstructions() === "without" ? 1 : 1.5;
  say(serverTable(`${parallel} parallel pushes of 1 MiB blobs, POST and PUT, 512 blobs`, columns, samples));
  say(
    [
      verdict(`of registry 3's rate, at least ${least}`, ratio(samples, "registry 3", rate), (seen) => seen >= least),
      "- zot is as it ships, without fsync; docker-registry and registry 3 sync files and no folders",
      ...missing,
      "",
    ].join("\n"),
  );
};
