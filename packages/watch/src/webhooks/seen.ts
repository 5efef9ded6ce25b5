import { createHash } from "node:crypto";

/** How long a notice is known again, and how old one may be: milliseconds. */
export const window = 86_400_000;
const most = 10_000;

/**
 * Notices that came already. One that comes again changes nothing; one that is older than what is remembered could not be known again, and is
 * passed over too. Memory of a process: after a restart a repeated one costs one look.
 */
export class Seen {
  readonly #ids = new Map<string, number>();

  /** Whether this one is new; from then on it is not. */
  isNew(hook: string, id: string | undefined, body: Uint8Array, now: number): boolean {
    // Ids are not always under the signature, what they say is: either makes it known.
    const keys = [`${hook}\n${createHash("sha256").update(body).digest("hex")}`];
    if (id !== undefined) keys.push(`${hook}\nid ${id}`);
    const known = keys.some((key) => now - (this.#ids.get(key) ?? -Infinity) < window);
    for (const key of keys) {
      this.#ids.delete(key);
      this.#ids.set(key, now);
    }
    for (const key of this.#ids.keys()) {
      if (this.#ids.size <= most) break;
      this.#ids.delete(key);
    }
    return !known;
  }
}
