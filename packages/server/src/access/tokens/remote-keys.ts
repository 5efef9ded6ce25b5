import { DrayError } from "dray/errors";
import { redactUrl } from "dray/http";
import { type KeyRing, type RingOptions, readKeySet } from "./key-ring.ts";

/** Fetches JSON. The connection, its trust and its bounds belong to whoever gives it. */
export type FetchJson = (url: string, options: { readonly signal: AbortSignal }) => Promise<unknown>;

export interface RemoteKeysOptions extends Omit<RingOptions, "from"> {
  readonly url: string;
  readonly fetchJson: FetchJson;
}

const pause = 60_000;
/** While there are none at all. */
const firstPause = 5_000;
const age = 10 * 60_000;
const patience = 10_000;

/** Keys that a token service publishes: fetched with the first token, again when a token names another, and after ten minutes. */
export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  #ring: KeyRing | undefined;
  #text = "";
  #asked = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  /** `undefined` as long as none were ever fetched. */
  get ring(): KeyRing | undefined {
    return this.#ring;
  }

  /** Old keys go on being used while newer ones are fetched behind them. */
  renew(): void {
    if (this.#ring !== undefined && this.#since() >= age) void this.refresh();
  }

  /** Fetches them, at most once a minute however many ask; keeps the ones there are where it fails. */
  refresh({ always = false }: { always?: boolean } = {}): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    if (!always && this.#since() < (this.#ring === undefined ? firstPause : pause)) return Promise.resolve();
    this.#asked = this.#options.now();
    this.#running = this.#fetch().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** A clock that was set back must not stop it. */
  #since(): number {
    const since = this.#options.now() - this.#asked;
    return since < 0 ? Number.POSITIVE_INFINITY : since;
  }

  async #fetch(): Promise<void> {
    const { url, fetchJson, now, onNotice } = this.#options;
    const from = redactUrl(url);
    try {
      const value = await fetchJson(url, { signal: AbortSignal.timeout(patience) });
      const text = JSON.stringify(value);
      // The same ring for the same keys, so that tokens are not verified again.
      if (text === this.#text) return;
      this.#ring = await readKeySet(value, { from, now, onNotice });
      this.#text = text;
    } catch (error) {
      const why = error instanceof DrayError ? error.message : "it cannot be fetched";
      const then = this.#ring === undefined ? "no token can be verified until then" : "the old ones stay in force";
      onNotice({ level: "warn", message: `keys for tokens from ${from}: ${why}; ${then}` });
    }
  }
}
