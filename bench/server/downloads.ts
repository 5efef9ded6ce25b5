/** Clients that download the same blob, each a curl of its own, and small requests beside them. */
import { spawn } from "node:child_process";
import { findPeer } from "@dray/testkit/peers";
import type { Server } from "./servers.ts";
import { startWrk } from "./wrk.ts";

export interface DownloadOptions {
  readonly path: string;
  readonly size: number;
  readonly clients: number;
  /** How often each client downloads it, over one connection. */
  readonly times: number;
  /** Asked for meanwhile, by two connections that rest 5 ms between requests. */
  readonly small: string;
}

export interface Downloaded {
  readonly bytes: number;
  readonly seconds: number;
  /** Milliseconds, of the small requests. */
  readonly p99: number;
}

/** @throws when a client had less than all of it */
export const download = async (
  server: Server,
  { path, size, clients, times, small }: DownloadOptions,
): Promise<Downloaded> => {
  const beside = await startWrk(`${server.origin}${small}`, { connections: 2, seconds: 600, rest: 5 });
  let seconds: number;
  try {
    const begun = performance.now();
    await Promise.all(Array.from({ length: clients }, () => curl(server, path, size, times)));
    seconds = (performance.now() - begun) / 1000;
  } catch (error) {
    await beside.end().catch(() => {});
    throw error;
  }
  const { p99 } = await beside.end();
  return { bytes: size * clients * times, seconds, p99 };
};

const curl = (server: Server, path: string, size: number, times: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const program = findPeer("curl");
    if (program === undefined) return reject(new Error("curl is needed for this measurement; it is a Debian package"));
    // What follows # is counted by curl and never sent.
    const args = [
      "-sS",
      // Dray speaks no HTTP/2, and Go's is slower than its HTTP/1.1.
      "--http1.1",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code} %{size_download}\n",
      `${server.origin}${path}#[1-${times}]`,
    ];
    const trust = server.ca === undefined ? [] : ["--cacert", server.ca];
    const child = spawn(program, [...trust, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0 && said === `200 ${size}\n`.repeat(times)) resolve();
      else reject(new Error(`curl ended with ${code}: ${said}`));
    });
  });
