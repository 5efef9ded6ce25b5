import type { Keychain } from "dray/auth";
import { type ConnectOptions, connect, type Registry } from "dray/registry";

interface Held {
  readonly registry: Registry;
  readonly credentials: Keychain | undefined;
  readonly host: string;
  users: number;
}

/** Connections that are kept although nobody uses them. */
const mostIdle = 64;

/**
 * One connection for each registry and keychain, however many repositories are asked for there: they share tokens, sockets and what
 * turned out about the registry. What was not used for longest is closed, so that credentials that change with every scan leave nothing open.
 */
export class Connections {
  readonly #optionsOf: (host: string) => ConnectOptions;
  #most: number;
  /** The last that was used is the last. */
  readonly #held = new Set<Held>();

  constructor(optionsOf: (host: string) => ConnectOptions, most: number = mostIdle) {
    this.#optionsOf = optionsOf;
    this.#most = most;
  }

  /** How many are open. */
  get size(): number {
    return this.#held.size;
  }

  /** Runs work with a registry, which stays open meanwhile. */
  async with<T>(host: string, credentials: Keychain | undefined, work: (registry: Registry) => Promise<T>): Promise<T> {
    const held = this.#open(host, credentials);
    held.users++;
    try {
      return await work(held.registry);
    } finally {
      held.users--;
      await this.#closeIdle(this.#most);
    }
  }

  /** Closes what nobody uses; the rest is closed by its last user. */
  async close(): Promise<void> {
    this.#most = 0;
    await this.#closeIdle(0);
  }

  #open(host: string, credentials: Keychain | undefined): Held {
    for (const held of this.#held)
      if (held.host === host && held.credentials === credentials) {
        this.#held.delete(held);
        this.#held.add(held);
        return held;
      }
    const options = this.#optionsOf(host);
    const registry = connect(host, credentials === undefined ? options : { ...options, credentials });
    const held = { registry, credentials, host, users: 0 };
    this.#held.add(held);
    return held;
  }

  async #closeIdle(most: number): Promise<void> {
    for (const held of this.#held) {
      if (this.#held.size <= most) return;
      if (held.users > 0) continue;
      this.#held.delete(held);
      await held.registry.close();
    }
  }
}
