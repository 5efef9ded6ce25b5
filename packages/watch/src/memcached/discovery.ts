import { Resolver } from "node:dns/promises";
import { DrayError, reasonOf } from "dray/errors";
import { searchNames, systemSearchList } from "./search-names.ts";
import { type Server, serverAt } from "./servers.ts";

/** Whom to ask for SRV records: a `Resolver` of `node:dns/promises`, or what answers as one. */
export interface SrvResolver {
  resolveSrv(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
  /** Ends what is asked. */
  cancel(): void;
}

export interface DiscoveryOptions {
  readonly host: string;
  readonly service: string;
  /** Milliseconds between two questions. */
  readonly updateInterval: number;
  readonly resolver?: SrvResolver | undefined;
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** The pause after a first question without an answer, in milliseconds; it doubles up to the usual interval. */
const firstPause = 100;

/**
 * Servers by the SRV records of `_service._tcp.host`, asked for again and again. What was found stays until something else is: a name
 * server that is away for an hour takes no cache away. Priorities and weights count for nothing, as with gomemcache.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #resolver: SrvResolver;
  readonly #onChange: (servers: readonly Server[]) => void;
  readonly #first = Promise.withResolvers<void>();
  #servers: readonly Server[] = [];
  #failures = 0;
  /** What the last question came to, in words. */
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param onChange hears of each list that is not the one before */
  constructor(options: DiscoveryOptions, onChange: (servers: readonly Server[]) => void) {
    this.#options = options;
    this.#resolver = options.resolver ?? new Resolver();
    this.#onChange = onChange;
    void this.#look();
  }

  /** The servers, or a promise of them until there are some. */
  get servers(): readonly Server[] | Promise<readonly Server[]> {
    return this.#servers.length > 0 ? this.#servers : this.#first.promise.then(() => this.#servers);
  }

  /** What to say to somebody who has waited long enough. */
  noServersYet(): DrayError {
    const { host, service } = this.#options;
    const reason = this.#fault ?? "the name server has not answered";
    return new DrayError("NETWORK", `no servers yet: _${service}._tcp.${host}: ${reason}`, { retryable: true });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#resolver.cancel();
  }

  async #look(): Promise<void> {
    const { updateInterval, onNotice, host, service } = this.#options;
    try {
      const found = await this.#ask();
      if (this.#stopped) return;
      this.#failures = 0;
      this.#fault = undefined;
      if (found.map(({ name }) => name).join() !== this.#servers.map(({ name }) => name).join()) {
        this.#servers = found;
        this.#onChange(found);
      }
      this.#first.resolve();
    } catch (error) {
      if (this.#stopped) return;
      this.#fault = reasonOf(error);
      if (++this.#failures === 1)
        onNotice?.(
          `the servers of memcached are not found by _${service}._tcp.${host}: ${this.#fault}` +
            (this.#servers.length > 0 ? "; those that were known are used on" : ""),
        );
    }
    const pause =
      this.#servers.length > 0 ? updateInterval : Math.min(updateInterval, firstPause * 2 ** this.#failures);
    this.#timer = setTimeout(() => void this.#look(), pause).unref();
  }

  /** @throws what the last of the names came to */
  async #ask(): Promise<readonly Server[]> {
    const { host, service } = this.#options;
    let fault: unknown;
    for (const name of searchNames(`_${service}._tcp.${host}`, systemSearchList()))
      try {
        const servers = sortedServers(await this.#resolver.resolveSrv(name));
        if (servers.length > 0) return servers;
        fault = new Error(`${name} has no servers`);
      } catch (error) {
        fault = error;
      }
    throw fault;
  }
}

/**
 * The targets of SRV records, in the one order that every client gives them, or keys would be on another server for each. That order is of
 * complete names, which end with a dot: `a.b.:1` comes after `a.:1`.
 */
export const sortedServers = (
  records: readonly { readonly name: string; readonly port: number }[],
): readonly Server[] =>
  records
    .map(({ name, port }) => ({ target: name.replace(/\.$/, ""), port }))
    // A lone dot means that there is no such service.
    .filter(({ target }) => target !== "")
    .map(({ target, port }) => ({ order: `${target}.:${port}`, server: serverAt(target, port) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ server }) => server);
