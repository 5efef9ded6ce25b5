import type { Log } from "@dray/service/observe";
import { reasonOf } from "dray/errors";
import { defined } from "dray/internal/defined";
import { type Reload, reloadable, type Settings } from "../config/index.ts";
import type { AuditLog } from "../observing/index.ts";

export interface ReloadingOptions {
  /** Reads the configuration again. Absent: there is none to read. */
  readonly again: (() => Promise<Settings>) | undefined;
  /** Reads files again: certificates, passwords, keys, logs. Where it refuses one, no setting changes. */
  readonly renew: (next: Settings) => Promise<void>;
  /** Puts into force what applies while the registry runs. */
  readonly apply: (next: Settings, by: string) => Promise<void>;
  readonly log: Log;
  readonly audit?: AuditLog | undefined;
}

/**
 * Takes what the configuration says now for what it said before, while the registry runs. What is wrong with it changes no setting; the log
 * says by whom, what applies now, and what waits for a restart.
 */
export class Reloading {
  readonly #started: Settings;
  readonly #options: ReloadingOptions;
  #current: Settings;
  /** One after the other: what was read first must not be put into force last. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(started: Settings, options: ReloadingOptions) {
    this.#started = started;
    this.#options = options;
    this.#current = started;
  }

  /** What is in force, but for what waits for a restart. */
  get current(): Settings {
    return this.#current;
  }

  /** @throws what is wrong with files or settings, which are then as they were, and the log says so; what `renew` began before it failed goes on */
  reload(by = "the program"): Promise<{ readonly restart: readonly string[] }> {
    const reloaded = this.#last.then(() => this.#reload(by));
    this.#last = reloaded.catch(() => {});
    return reloaded;
  }

  async #reload(by: string): Promise<{ readonly restart: readonly string[] }> {
    const { log, audit } = this.#options;
    try {
      const { applies, restart } = await this.#readAgain(by);
      log("info", "reloaded", defined({ by, applies: applies.length === 0 ? undefined : applies.join(", ") }));
      if (restart.length > 0) log("warn", `these settings changed and wait for a restart: ${restart.join(", ")}`);
      audit?.tell({ action: "operate", outcome: "done", reason: `reload by ${by}` });
      return { restart };
    } catch (error) {
      const why = reasonOf(error);
      log("warn", `not reloaded: ${why}`, { by });
      audit?.tell({ action: "operate", outcome: "failed", reason: `reload by ${by}: ${why}` });
      throw error;
    }
  }

  async #readAgain(by: string): Promise<Reload> {
    const { again, renew, apply } = this.#options;
    const next = (await again?.()) ?? this.#current;
    await renew(next);
    await apply(next, by);
    const { applies } = reloadable(this.#current, next);
    const { restart } = reloadable(this.#started, next);
    this.#current = next;
    return { applies, restart };
  }
}
