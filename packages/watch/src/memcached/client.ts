import type { Cancel } from "dray/content";
import { DrayError } from "dray/errors";
import { refuseNumber } from "dray/internal/numbers";
import { type Asking, ConnectedServers, type MemcacheOptions } from "./connected-servers.ts";
import { foreign } from "./connection.ts";
import { checkExpiration, checkKey, type Item, type StoredItem, storageLine } from "./item.ts";
import type { MemcacheClient } from "./memcache-client.ts";
import type { Reply } from "./replies.ts";
import { pickServer, type Server } from "./servers.ts";

/** Of so many keys one question is made. */
const keysAtOnce = 100;
const longestTimer = 2 ** 31 - 1;

/**
 * A client of memcached, of every version: it speaks the plain text protocol. Servers are found by DNS or given; a key is on the server on which
 * gomemcache has it. Nothing is opened before it is needed, and a lost connection is opened again.
 * @throws DrayError `USAGE`
 * @example
 * const client = memcacheClient({ host: "memcached.flux.svc.cluster.local", service: "memcached", timeout: 500 });
 * await client.set({ key: "greeting", value: Buffer.from("hello"), expiration: 3600 });
 * const item = await client.get("greeting");
 * client.stop();
 */
export const memcacheClient = (options: MemcacheOptions): MemcacheClient => {
  refuseNumber("timeout", options.timeout, { to: longestTimer });
  refuseNumber("updateInterval", options.updateInterval, { to: longestTimer });
  return new TextClient(new ConnectedServers(options));
};

class TextClient implements MemcacheClient {
  readonly #servers: ConnectedServers;

  constructor(servers: ConnectedServers) {
    this.#servers = servers;
  }

  add(item: Item, options?: Cancel): Promise<boolean> {
    return this.#store("add", item, options, { STORED: true, NOT_STORED: false });
  }

  compareAndSwap(item: Item & Pick<StoredItem, "cas">, options?: Cancel): Promise<"stored" | "changed" | "gone"> {
    return this.#store("cas", item, options, { STORED: "stored", EXISTS: "changed", NOT_FOUND: "gone" }, item.cas);
  }

  replace(item: Item, options?: Cancel): Promise<boolean> {
    return this.#store("replace", item, options, { STORED: true, NOT_STORED: false });
  }

  set(item: Item, options?: Cancel): Promise<void> {
    return this.#store("set", item, { ...options, repeatable: true }, { STORED: undefined });
  }

  async delete(key: string, options?: Cancel): Promise<boolean> {
    checkKey(key);
    return this.#line(key, `delete ${key}\r\n`, options, { DELETED: true, NOT_FOUND: false });
  }

  async touch(key: string, expiration: number, options?: Cancel): Promise<boolean> {
    checkKey(key);
    checkExpiration(key, expiration);
    const line = `touch ${key} ${expiration}\r\n`;
    return this.#line(key, line, { ...options, repeatable: true }, { TOUCHED: true, NOT_FOUND: false });
  }

  increment(key: string, delta: number | bigint, options?: Cancel): Promise<bigint | undefined> {
    return this.#count("incr", key, delta, options);
  }

  decrement(key: string, delta: number | bigint, options?: Cancel): Promise<bigint | undefined> {
    return this.#count("decr", key, delta, options);
  }

  async get(key: string, options?: Cancel): Promise<StoredItem | undefined> {
    checkKey(key);
    const server = await this.#servers.of(key, options?.signal);
    return (await this.#read(server, [key], options))[0];
  }

  async getMulti(keys: Iterable<string>, options?: Cancel): Promise<ReadonlyMap<string, StoredItem>> {
    const wanted = new Set(keys);
    for (const key of wanted) checkKey(key);
    const servers = await this.#servers.all(options?.signal);
    const byServer = Map.groupBy(wanted, (key) => pickServer(servers, key) as Server);
    const found = new Map<string, StoredItem>();
    const asked: Promise<void>[] = [];
    for (const [server, its] of byServer)
      for (let at = 0; at < its.length; at += keysAtOnce)
        asked.push(
          this.#read(server, its.slice(at, at + keysAtOnce), options).then((items) => {
            for (const item of items) found.set(item.key, item);
          }),
        );
    await Promise.all(asked);
    return found;
  }

  deleteAll(options?: Cancel): Promise<void> {
    return this.flushAll(options);
  }

  async flushAll(options?: Cancel): Promise<void> {
    const servers = await this.#servers.all(options?.signal);
    const flush = async (server: Server): Promise<void> => {
      const reply = await this.#servers.ask(server, ["flush_all\r\n"], { ...options, repeatable: true });
      this.#told(server, "flush_all", reply, { OK: undefined });
    };
    await Promise.all(servers.map(flush));
  }

  stop(): void {
    this.#servers.stop();
  }

  async #store<T>(verb: string, item: Item, asking: Asking = {}, told: Told<T>, cas?: bigint): Promise<T> {
    const line = storageLine(verb, item, cas);
    const server = await this.#servers.of(item.key, asking.signal);
    const reply = await this.#servers.ask(server, [line, item.value, "\r\n"], asking);
    if (reply.line.startsWith("SERVER_ERROR object too large"))
      throw new DrayError(
        "LIMIT_EXCEEDED",
        `${item.key} has ${item.value.byteLength} bytes: more than memcached at ${server.name} takes for one item`,
      );
    return this.#told(server, `${verb} ${item.key}`, reply, told);
  }

  async #line<T>(key: string, line: string, asking: Asking = {}, told: Told<T>): Promise<T> {
    const server = await this.#servers.of(key, asking.signal);
    return this.#told(server, line.trimEnd(), await this.#servers.ask(server, [line], asking), told);
  }

  async #count(verb: string, key: string, delta: number | bigint, options?: Cancel): Promise<bigint | undefined> {
    checkKey(key);
    if ((typeof delta === "number" && !Number.isSafeInteger(delta)) || delta < 0 || delta >= 2n ** 64n)
      throw new DrayError(
        "USAGE",
        `${key} cannot be counted by ${delta}: it has to be a whole number of 64 bits, 0 or more`,
      );
    const server = await this.#servers.of(key, options?.signal);
    const reply = await this.#servers.ask(server, [`${verb} ${key} ${delta}\r\n`], options);
    return /^\d+$/.test(reply.line)
      ? BigInt(reply.line)
      : this.#told(server, `${verb} ${key}`, reply, { NOT_FOUND: undefined });
  }

  async #read(server: Server, keys: readonly string[], options?: Cancel): Promise<readonly StoredItem[]> {
    const reply = await this.#servers.ask(server, [`gets ${keys.join(" ")}\r\n`], { ...options, repeatable: true });
    this.#told(server, "gets", reply, { END: undefined });
    return reply.items;
  }

  /** What a line stands for. @throws DrayError `CACHE` for every other line */
  #told<T>(server: Server, what: string, { line }: Reply, told: Told<T>): T {
    if (Object.hasOwn(told, line)) return told[line] as T;
    if (/^(?:CLIENT_ERROR|SERVER_ERROR|ERROR)(?: |$)/.test(line))
      throw new DrayError("CACHE", `memcached at ${server.name} refused ${what}: ${line}`);
    const fault = foreign(server, line.slice(0, 40));
    this.#servers.drop(server, fault);
    throw fault;
  }
}

/** What each line of a server stands for. */
type Told<T> = Readonly<Record<string, T>>;
