import type { Log } from "@dray/service/observe";
import type { AuditLog } from "../observing/index.ts";
import type { Registry } from "../registry.ts";
import type { Volume } from "../storage/index.ts";

export interface ReadOnlyOptions {
  readonly registry: Pick<Registry, "context" | "setReadOnly">;
  /** What the configuration says. */
  readonly configured: boolean;
  readonly volume: Volume | undefined;
  readonly log: Log;
  readonly audit?: AuditLog | undefined;
}

/**
 * Whether a registry only reads: what the configuration says, unless an operator said something since, which no reload takes back. Then
 * nothing is pushed, deleted, collected or purged. One that was started so has not made the volume its own, and does when it is to write.
 */
export class ReadOnly {
  readonly #options: ReadOnlyOptions;
  #configured: boolean;
  #said: boolean | undefined;
  #quiet = new AbortController();

  constructor(options: ReadOnlyOptions) {
    this.#options = options;
    this.#configured = options.configured;
    const { registry, volume } = options;
    if (volume?.writes === false) registry.setReadOnly(true);
    if (this.on) this.#quiet.abort();
  }

  get on(): boolean {
    return this.#options.registry.context.settings.readOnly;
  }

  /** Aborted while it is on: work in the background ends. */
  get quiet(): AbortSignal {
    return this.#quiet.signal;
  }

  /** An operator's word. @throws DrayError `LOCKED` or `DISK` where the volume cannot be written */
  async say(on: boolean, by: string): Promise<void> {
    await this.#set(on, by);
    this.#said = on === this.#configured ? (on ? true : undefined) : on;
  }

  /** What the configuration says now: it counts where it changed, and where no operator said `on`. */
  async configure(on: boolean, by: string): Promise<void> {
    if (on === this.#configured) return;
    this.#configured = on;
    if (this.#said === true) return;
    this.#said = undefined;
    try {
      await this.#set(on, by);
    } catch (error) {
      this.#options.log("warn", `the registry stays read-only: ${(error as Error).message}`, { by });
    }
  }

  /** Another process has the volume: two that write would take from each other what they keep. */
  async lost(why: string): Promise<void> {
    const { registry, volume, log, audit } = this.#options;
    await volume?.release();
    registry.setReadOnly(true);
    this.#quiet.abort();
    log("error", `the registry is read-only from now on, because the volume is no longer its own: ${why}`);
    audit?.tell({ action: "operate", outcome: "done", reason: `read-only on: ${why}` });
  }

  async #set(on: boolean, by: string): Promise<void> {
    const { registry, volume, log } = this.#options;
    if (!on) await volume?.take();
    if (on === this.on) return;
    registry.setReadOnly(on);
    if (on) this.#quiet.abort();
    else this.#quiet = new AbortController();
    const words = on
      ? "read-only is on: nothing is pushed, deleted, collected or purged until it is off"
      : "read-only is off: pushes are taken again";
    log("warn", words, { by });
  }
}
