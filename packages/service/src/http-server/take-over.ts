import type { Server } from "node:http";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { ListenAddress } from "./listen-address.ts";
import { isAnswered, listening, start } from "./start.ts";

export interface TakeOver {
  readonly former: Server;
  /** A server that shows the newest certificate, not listening yet. */
  readonly make: () => Server;
  readonly address: ListenAddress;
  /** Milliseconds after which a connection of the former that never asked for anything ends. */
  readonly patience: number;
  /** Ends the tries. */
  readonly stopped: () => boolean;
}

/** Milliseconds between two tries at most. */
const longest = 1000;

/**
 * Lets another server take over the address of one that listens: for Bun, whose servers show one certificate for life. The former one
 * finishes what it began. Where the address can be shared, the new one listens before the old one ends; where it cannot, it listens in the
 * moment after, and tries until it does: somebody may have been faster. Bun has the system keep connections back until their first bytes
 * come (`TCP_DEFER_ACCEPT`): the end of the former one resets those, unless the system hands them on (`net.ipv4.tcp_migrate_req`).
 * @throws what the runtime says of the certificate, with nothing changed
 */
export const takeOver = async ({ former, make, address, patience, stopped }: TakeOver): Promise<Server | undefined> => {
  // Whatever there is to refuse or to load is refused and loaded before anything ends.
  const trial = make();
  await listening(trial, { host: "127.0.0.1", port: 0 });
  trial.close();
  const leave = (): void => {
    closeForNew(former);
    setTimeout(() => former.closeIdleConnections(), patience).unref();
  };
  if (sharing.has(former)) {
    const successor = make();
    await listen(successor, address);
    await quietTurn();
    leave();
    return successor;
  }
  await quietTurn();
  leave();
  for (let pause = 1; !stopped(); pause = Math.min(2 * pause, longest)) {
    const successor = make();
    try {
      // Between the end of the one and the beginning of the other nothing waits.
      await listen(successor, address);
      return successor;
    } catch {
      await sleep(pause);
    }
  }
  return undefined;
};

/** Milliseconds that a round of events may take in which few can have come: less than the handshake of one. */
const short = 0.3;

/**
 * Right after a round of events those who came are accepted, and who comes during the handshakes of a long round waits in the queue of the
 * server that is about to end, which resets them: so after a short one, or where there is none, after many.
 */
const quietTurn = async (): Promise<void> => {
  // The first comes before the runtime looks at its sockets.
  await turn();
  for (let rounds = 0; rounds < 1000; rounds++) {
    const begun = performance.now();
    await turn();
    if (performance.now() - begun < short) return;
  }
};

/** Servers whose address another one may have, too. */
const sharing = new WeakSet<Server>();

/** What begins to listen at an address that may be shared, if the runtime can and the address may. */
const shared = (server: Server, address: ListenAddress): (() => void) | undefined => {
  const [begin, tls] = [named(server, "kRealListen"), named(server, "tls")];
  if ("unix" in address || typeof begin !== "function") return undefined;
  return () => void Reflect.apply(begin, server, [tls, address.port, address.host, undefined, true]);
};

/**
 * Begins to listen, so that another server can take over. Where somebody answers already, the address is not shared, and the system
 * refuses it: two programs that have it by mistake would each get half of the clients.
 */
export const startShared = async (server: Server, address: ListenAddress): Promise<void> =>
  "unix" in address || (await isAnswered(address)) ? start(server, address) : listen(server, address);

/** Listens, at an address that may be shared if the runtime can. */
const listen = async (server: Server, address: ListenAddress): Promise<void> => {
  const begin = shared(server, address);
  await listening(server, address, begin);
  if (begin !== undefined) sharing.add(server);
};

/**
 * Takes no more connections. Bun ends those, too, that were accepted and have not asked yet, in the middle of their handshake:
 * to them the server would be broken.
 */
const closeForNew = (server: Server): void => {
  const inner = Object.getOwnPropertySymbols(server)
    .map((symbol) => (server as unknown as Record<symbol, unknown>)[symbol])
    .find(hasSweep);
  if (inner !== undefined) inner.closeIdleConnections = () => 0;
  server.close();
  if (inner !== undefined) Reflect.deleteProperty(inner, "closeIdleConnections");
};

interface Sweep {
  closeIdleConnections: () => number;
}

const hasSweep = (value: unknown): value is Sweep =>
  typeof (value as Partial<Sweep> | null | undefined)?.closeIdleConnections === "function";

/** What a server keeps under a symbol, by the symbol's description: `node:http` has no name for it. A runtime without it goes on without it. */
const named = (server: Server, description: string): unknown => {
  for (let at: object | null = server; at !== null; at = Object.getPrototypeOf(at) as object | null)
    for (const symbol of Object.getOwnPropertySymbols(at))
      if (symbol.description === description) return (server as unknown as Record<symbol, unknown>)[symbol];
  return undefined;
};
