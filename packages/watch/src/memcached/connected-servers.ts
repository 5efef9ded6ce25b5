import type { Cancel } from "dray/content";
import { DrayError, isDrayError, throwIfAborted } from "dray/errors";
import { unlessAborted } from "dray/internal/async";
import { Connection } from "./connection.ts";
import { Discovery, type SrvResolver } from "./discovery.ts";
import type { Reply } from "./replies.ts";
import { pickServer, type Server, serverOf } from "./servers.ts";

/** Where the servers are, and how long they are waited for. */
export interface MemcacheOptions {
  /**
   * With `service`, the name below which servers are found; without, the address of one (`host`, `host:port`, `[address]:port`, `/path/of/a/socket`),
   * or those of several, in the order that all clients give them.
   */
  readonly host: string | readonly string[];
  /** Servers are the SRV records of `_service._tcp.host`. Default: none are asked for. */
  readonly service?: string | undefined;
  /** Milliseconds that a verb may take, and that the first search for servers is waited for. Default 1,000. */
  readonly timeout?: number | undefined;
  /** Milliseconds between two searches for servers. Default 60,000. */
  readonly updateInterval?: number | undefined;
  /** Who is asked for SRV records. Default: the system's name servers. */
  readonly resolver?: SrvResolver | undefined;
  /** Hears when servers are not found any more. */
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** How one question is asked. */
export interface Asking extends Cancel {
  /** Asking twice does what asking once does, so it may be asked again where a connection was found dead. */
  readonly repeatable?: boolean;
}

/** The servers of a client, with one connection to each, and a time for every question. */
export class ConnectedServers {
  readonly #timeout: number;
  readonly #discovery: Discovery | undefined;
  readonly #fixed: readonly Server[];
  readonly #connections = new Map<string, Connection>();
  #isStopped = false;

  /** @throws DrayError `USAGE` */
  constructor({ host, service = "", timeout = 1000, updateInterval = 60_000, resolver, onNotice }: MemcacheOptions) {
    this.#timeout = timeout;
    if (service === "") this.#fixed = (typeof host === "string" ? [host] : host).map(serverOf);
    else if (typeof host === "string") {
      this.#fixed = [];
      const options = { host, service, updateInterval, resolver, onNotice };
      this.#discovery = new Discovery(options, (servers) => this.#forgetOthers(servers));
    } else throw new DrayError("USAGE", "servers are found by a service below one host, and several are given");
    if (this.#discovery === undefined && this.#fixed.length === 0)
      throw new DrayError("USAGE", "a memcached client has to be given a host");
  }

  /** All of them. @throws DrayError `NETWORK` where there are none yet */
  async all(signal: AbortSignal | undefined): Promise<readonly Server[]> {
    this.#refuseStopped();
    throwIfAborted(signal);
    const servers = this.#discovery?.servers ?? this.#fixed;
    if (!(servers instanceof Promise)) return servers;
    const discovery = this.#discovery as Discovery;
    return within(this.#timeout, unlessAborted(servers, signal), () => discovery.noServersYet());
  }

  /** The one that has a key. */
  async of(key: string, signal: AbortSignal | undefined): Promise<Server> {
    return pickServer(await this.all(signal), key) as Server;
  }

  /** @throws DrayError `NETWORK`, `TIMEOUT`, `CACHE`, `ABORTED` */
  async ask(server: Server, parts: readonly (string | Uint8Array)[], asking: Asking = {}): Promise<Reply> {
    const connection = this.#connection(server);
    const wasUp = connection.isUp;
    try {
      return await this.#askOn(connection, parts, asking);
    } catch (error) {
      // The server was started anew, or did not like to wait: that shows with the next question only.
      if (!wasUp || asking.repeatable !== true || !isDrayError(error, "NETWORK") || this.#isStopped) throw error;
      return this.#askOn(this.#connection(server), parts, asking);
    }
  }

  /** Ends the connection to a server, which has said what makes no sense. */
  drop(server: Server, fault: DrayError): void {
    this.#connections.get(server.name)?.close(fault);
  }

  stop(): void {
    this.#isStopped = true;
    this.#discovery?.stop();
    this.#forgetOthers([]);
  }

  #askOn(connection: Connection, parts: readonly (string | Uint8Array)[], { signal }: Asking): Promise<Reply> {
    return within(this.#timeout, unlessAborted(connection.ask(parts), signal), () => {
      const what = connection.isUp ? "has not answered" : "was not reached";
      const message = `memcached at ${connection.server.name} ${what} within ${this.#timeout} ms`;
      const fault = new DrayError("TIMEOUT", message, { retryable: true });
      // Answers come in order: behind one that is missing none can be had.
      connection.close(fault);
      return fault;
    });
  }

  #connection(server: Server): Connection {
    this.#refuseStopped();
    const known = this.#connections.get(server.name);
    if (known !== undefined && !known.isClosed) return known;
    const connection = new Connection(server);
    this.#connections.set(server.name, connection);
    return connection;
  }

  #forgetOthers(servers: readonly Server[]): void {
    const names = new Set(servers.map(({ name }) => name));
    for (const [name, connection] of this.#connections) {
      if (names.has(name)) continue;
      this.#connections.delete(name);
      const why = this.#isStopped ? "the client was stopped" : `memcached at ${name} is no server any more`;
      connection.close(new DrayError("NETWORK", why, { retryable: !this.#isStopped }));
    }
  }

  #refuseStopped(): void {
    if (this.#isStopped) throw new DrayError("USAGE", "this memcached client was stopped");
  }
}

/** Waits for work, but no longer than some milliseconds: then it fails as somebody says. */
const within = async <T>(ms: number, work: Promise<T>, late: () => DrayError): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
};
