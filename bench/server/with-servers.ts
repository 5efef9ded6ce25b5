/** All servers of a measurement, each on its own folder, running for as long as the work takes. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds } from "./process.ts";
import { type Server, type ServerName, startServer } from "./servers.ts";
import { withFolder } from "./trees/image.ts";

/** @param fill puts into a server's folder what it shall hold */
export const withServers = async <T>(
  names: readonly ServerName[],
  options: { readonly tls?: boolean },
  fill: (name: ServerName, data: string) => void,
  work: (of: (name: ServerName) => Server) => Promise<T>,
): Promise<T> =>
  withFolder(async (dir) => {
    const servers = new Map<ServerName, Server>();
    try {
      for (const name of names) {
        const data = join(dir, name.replace(" ", "-"));
        mkdirSync(data);
        fill(name, data);
        servers.set(name, await startServer(name, { data, ...options }));
      }
      return await work((name) => servers.get(name) as Server);
    } finally {
      for (const server of servers.values()) await server.stop();
    }
  });

export interface Spent {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of all cores, of the server alone. */
  readonly cpu: number;
}

/** What a server spends while something is done to it. */
export const spending = async <T>({ pid }: Server, work: () => Promise<T>): Promise<T & Spent> => {
  const [begun, before] = [performance.now(), cpuSeconds(pid)];
  const result = await work();
  return { ...result, wall: (performance.now() - begun) / 1000, cpu: cpuSeconds(pid) - before };
};
