import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { DrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { errnoOf } from "dray/internal/files";
import { Memory } from "../memory/index.ts";
import { type Context, defaultLimits } from "./context.ts";
import { type DrainOptions, drained, type Servers } from "./drain.ts";
import { proxiesOf, Strangers } from "./forwarded.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { Listener, ListenOptions } from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { Overflow } from "./overflow.ts";
import { makeServer, showCertificate } from "./server.ts";
import { Silences } from "./silences.ts";
import { start } from "./start.ts";
import { startShared, takeOver } from "./take-over.ts";
import { Turns } from "./turns.ts";

/**
 * Serves a handler on a socket. Targets and headers reach it as they were written; an answer says how long it is where that is
 * known, and the connection breaks where a body fails: a client must never take a part for the whole. A handler that throws a
 * `DrayError` `NETWORK` breaks the connection, too.
 * @example
 * const listener = await listen(handler, { host: "0.0.0.0", port: 5000 });
 * await listener.stop({ drain: 30_000 });
 */
export const listen = async (handler: Handler, options: ListenOptions = {}): Promise<Listener> => {
  const {
    host = "127.0.0.1",
    port: wanted = 0,
    unix,
    tls,
    trustedProxies = [],
    limits = {},
    onError,
    memory = new Memory(),
  } = options;
  const { connections, ...bounds } = limits;
  const context: Context = {
    handler,
    scheme: tls === undefined ? "http" : "https",
    limits: { ...defaultLimits, ...bounds },
    proxies: proxiesOf(trustedProxies),
    strangers: new Strangers(options.onStranger ?? (() => {})),
    onHandshake: options.onHandshake ?? (() => {}),
    onError: onError ?? (() => {}),
    silences: new Silences(bounds.idle ?? defaultLimits.idle, options.onLetGo ?? (() => {})),
    turns: new Turns(memory.share(places)),
    outgoing: new Outgoing(),
    early: memory.share(0),
    overflow: new Overflow(options.overflow ?? (() => undefined)),
    answers: memory.share(0),
    answering: 0,
    stopping: false,
  };
  let server = makeServer(context, tls, connections);
  await (tls === undefined ? start : startShared)(server, unix === undefined ? { host, port: wanted } : { unix });
  const port = unix === undefined ? (server.address() as AddressInfo).port : 0;
  const name = unix === undefined ? `${host.includes(":") ? `[${host}]` : host}:${port}` : "localhost";
  const address: ListenAddress = unix === undefined ? { host, port } : { unix };

  const beats = setInterval(() => context.silences.tick(), context.silences.beat);
  beats.unref();

  /** Those that finish what they began. */
  const old = new Set<Server>();
  const servers = (): Servers => ({ current: server, former: old });

  const stop = async ({ drain = 0, notice = 0 }: Partial<DrainOptions> = {}): Promise<void> => {
    await drained(context, servers, { drain, notice });
    clearInterval(beats);
  };

  let shown = tls;
  let taking: Promise<void> | undefined;
  const takenOver = async (): Promise<void> => {
    const former = server;
    old.add(former);
    former.once("close", () => old.delete(former));
    const successor = await takeOver({
      former,
      make: () => makeServer(context, shown, connections),
      address,
      patience: context.limits.headers,
      stopped: () => context.stopping,
    });
    if (context.stopping) successor?.close();
    else server = successor ?? former;
  };

  return {
    origin: `${context.scheme}://${name}`,
    host: name,
    port,
    reload: async (next) => {
      if (tls === undefined) throw new DrayError("USAGE", "a listener without TLS has no certificate to reload");
      if (showCertificate(server, next)) return;
      // Before anything ends: a certificate that cannot be used is refused.
      makeServer(context, next, connections);
      shown = next;
      taking ??= takenOver().finally(() => {
        taking = undefined;
      });
      await atLast(taking, name);
    },
    letGo: (wanted) => context.silences.letGo(wanted),
    stop,
    close: () => stop(),
  };
};

/** Bytes that bodies are read into whatever lies in memory besides. */
const places = 8 * 1024 * 1024;

/** Milliseconds that somebody waits for an exchange of servers that goes on without him. */
const exchange = 5_000;

const atLast = async (taking: Promise<void>, name: string): Promise<void> => {
  const late = new AbortController();
  const waited = sleep(exchange, true, { signal: late.signal }).catch(() => false);
  try {
    if ((await Promise.race([taking.then(() => false), waited])) === false) return;
    taking.catch(() => {});
    throw new DrayError(
      "NETWORK",
      `cannot listen on ${name} again with the new certificate, because another program took the address; end that one, this one tries until it is free`,
    );
  } finally {
    late.abort();
  }
};

/**
 * `listen`, with words for what a system says where it cannot.
 * @param flag the flag of the program that chooses another address: `--listen`
 */
export const bind = async (handler: Handler, options: ListenOptions, flag: string): Promise<Listener> => {
  try {
    return await listen(handler, options);
  } catch (error) {
    const code = errnoOf(error);
    // Every interface, on a system without IPv6.
    if (options.host === "::" && (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL"))
      return bind(handler, { ...options, host: "0.0.0.0" }, flag);
    // Bun calls a name of no machine a missing file.
    const why = code === "ENOENT" && options.unix === undefined ? "ENOTFOUND" : code;
    const remedy = why === undefined ? undefined : remedies[why]?.(flag);
    if (remedy === undefined) throw error;
    const address = options.unix ?? `${options.host ?? "127.0.0.1"}:${options.port ?? 0}`;
    throw new DrayError("NETWORK", `cannot listen on ${address}: ${remedy}`, { cause: error });
  }
};

const remedies: Readonly<Record<string, (flag: string) => string>> = {
  EADDRINUSE: (flag) => `another program does; end that one, or choose another address with ${flag}`,
  EADDRNOTAVAIL: (flag) => `this machine has no such address; choose another with ${flag}`,
  ENOTFOUND: (flag) => `no machine is called so; choose another with ${flag}`,
  EAI_AGAIN: (flag) => `nobody tells which machine is called so; choose another with ${flag}`,
  EAFNOSUPPORT: (flag) => `this machine has no such kind of address; choose another with ${flag}`,
  EACCES: () => "permission denied; choose a port above 1023, or allow this one to the user",
};
