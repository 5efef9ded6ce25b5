import { atMostOnceIn, type Findings, faultOf } from "@dray/service/observe";
import { reasonOf } from "dray/errors";
import type { Clock } from "dray/http";
import { defined } from "dray/internal/defined";
import type { WatchFile } from "../file/index.ts";
import type { LookResult } from "../refresh/index.ts";

/** What readiness is told from. */
export interface ReadinessParts {
  readonly file: WatchFile;
  /** How many repositories are watched: where there are none, nothing is looked at. */
  readonly watched: () => number;
  /** Milliseconds between two lists of tags at most. */
  readonly longest: number;
  readonly clock: Clock;
}

/**
 * Whether a watch can do its work: its file can be written, and registries tell it lists of tags. One registry that is down, or one tag that cannot be read, is no
 * reason; it is one where no list at all was had for twice as long as there should be between two.
 */
export class Readiness {
  readonly #parts: ReadinessParts;
  readonly #fileFault: () => Promise<string | undefined>;
  #well: number;
  #fault: string | undefined;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
    this.#well = parts.clock.now();
    const { file, clock } = parts;
    this.#fileFault = atMostOnceIn(() => faultOf(() => file.write(() => {}), { clock }), { clock });
  }

  /** A look has ended, and what came of it is in the file. */
  ended({ missing }: Pick<LookResult, "missing">): void {
    this.#fault = undefined;
    if (missing.every(({ what }) => what !== "list")) this.#well = this.#parts.clock.now();
  }

  /** A look has failed for a reason of ours, such as a full disk. */
  failed(error: unknown): void {
    this.#fault = reasonOf(error);
  }

  async look(): Promise<Findings> {
    const { clock, longest, watched } = this.#parts;
    const now = clock.now();
    // A clock that was set back makes nothing late.
    this.#well = Math.min(this.#well, now);
    const isLate = now - this.#well > 2 * longest && watched() > 0;
    const since = new Date(this.#well).toISOString();
    const failing = defined<{ file?: string; looks?: string }>({
      file: this.#fault ?? (await this.#fileFault()),
      looks: isLate ? `no list of tags was read since ${since}` : undefined,
    });
    const word = (check: string): string => (Object.hasOwn(failing, check) ? "failing" : "ok");
    return { told: { file: word("file"), looks: word("looks") }, failing: { ...failing } };
  }
}
