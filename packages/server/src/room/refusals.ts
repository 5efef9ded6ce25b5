import { defined } from "dray/internal/defined";
import type { Notice } from "../notice.ts";

/** Milliseconds between two words of the log on one thing: a client that is refused tries again and again. */
const tellEvery = 60_000;
/** Repositories that are spoken of in that time. */
const most = 100;
/** Names that no repository has. */
const [disk, others] = ["/disk", "/others"];

/**
 * What the operator hears of pushes that are refused: why, once a minute for the disk and for each repository. Clients choose repositories,
 * so of those beyond a hundred a minute one line says that there are more.
 */
export class Refusals {
  readonly #now: () => number;
  readonly #onNotice: (notice: Notice) => void;
  /** When each was last spoken of, longest ago first. */
  readonly #told = new Map<string, number>();

  constructor(now: () => number, onNotice: (notice: Notice) => void = () => {}) {
    this.#now = now;
    this.#onNotice = onNotice;
  }

  /** @param repository which has no room; without it the disk has none */
  tell(why: string, repository?: string): void {
    const now = this.#now();
    for (const [each, at] of this.#told) {
      if (now - at < tellEvery) break;
      this.#told.delete(each);
    }
    if (this.#told.has(repository ?? disk)) return;
    if (repository === undefined || this.#told.size < most) {
      this.#told.set(repository ?? disk, now);
      this.#onNotice(defined({ level: "warn", message: `a push is refused: ${why}`, repository }));
    } else if (!this.#told.has(others)) {
      this.#told.set(others, now);
      const message = `pushes to more than ${most} repositories were refused within a minute: the others are not told of`;
      this.#onNotice({ level: "warn", message });
    }
  }
}
