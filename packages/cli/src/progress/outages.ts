import type { Clock, Happening } from "./types.ts";

/** Milliseconds within which the same is one event, however many pieces of content it stops: buffers empty while a connection is cut. */
const atOnce = 1000;

/**
 * Outages of registries: what stops everything on its way to one registry is told once, and again when something got through in
 * between. A reader of a log wants to know that a registry is away, not for how many layers.
 */
export class Outages {
  readonly #clock: Clock;
  /** By registry: when it was last told, and how much had got through by then. */
  readonly #told = new Map<string, { readonly at: number; readonly through: number }>();
  #through = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether an event is to be told, which it is taken to be. */
  isNews(event: Happening): boolean {
    if (event.type === "bytes" || event.type === "ingest" || event.type === "done" || event.type === "mounted")
      this.#through++;
    if (event.type !== "retry" || event.registry === undefined) return true;
    const { registry } = event;
    const told = this.#told.get(registry);
    const at = this.#clock.now();
    if (told !== undefined && (told.through === this.#through || at - told.at < atOnce)) return false;
    this.#told.set(registry, { at, through: this.#through });
    return true;
  }
}
