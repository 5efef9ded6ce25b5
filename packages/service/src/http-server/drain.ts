import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "./context.ts";

/** Milliseconds between two looks for connections that are done. */
const between = 50;
/** Looks without an answer under way, after which a connection that asked for nothing is not waited for any more. */
const quietLooks = 20;

export interface DrainOptions {
  /** Milliseconds that answers may still take. */
  readonly drain: number;
  /** Milliseconds during which connections are still taken, one answer each. */
  readonly notice: number;
}

/** The server that takes connections, and those that finish what they began. */
export interface Servers {
  readonly current: Server;
  readonly former: ReadonlySet<Server>;
}

/**
 * Ends servers in order: each answer is the last one of its connection, connections that ask for nothing end, and the end is there as
 * soon as the last answer has ended. One that was begun before the order could not say `Connection: close`, so its connection is
 * ended from here.
 */
export const drained = async (
  context: Context,
  servers: () => Servers,
  { drain, notice }: DrainOptions,
): Promise<void> => {
  const each = (work: (server: Server) => void): void => {
    const { current, former } = servers();
    for (const server of [...former, current]) work(server);
  };
  const breakAll = (): void => each((server) => server.closeAllConnections());
  context.stopping = true;
  if (drain > 0 && notice > 0) await sleep(notice);
  const { current, former } = servers();
  const all = Promise.all([closed(current), ...[...former].map(ended)]);
  if (drain <= 0) breakAll();
  let quiet = 0;
  const looking = setInterval(() => {
    each((server) => server.closeIdleConnections());
    quiet = context.answering === 0 && context.silences.open.size === 0 ? quiet + 1 : 0;
    if (quiet >= quietLooks) breakAll();
  }, between);
  const late = setTimeout(breakAll, drain);
  await all;
  clearInterval(looking);
  clearTimeout(late);
};

/** Takes no more connections, and resolves when the last one has ended. */
const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });

/** Resolves when one that takes none has ended its last. Asked to close once more, Bun says so at once. */
const ended = (server: Server): Promise<void> => new Promise((resolve) => void server.once("close", () => resolve()));
