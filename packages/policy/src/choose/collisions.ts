import { newestNaturally } from "../natural.ts";
import type { Candidate, Policy } from "../policy/index.ts";
import type { Collision } from "./choice.ts";

/** Hears of values that several tags give, where values are taken out of tags. */
export class Collisions {
  readonly #isOn: boolean;
  readonly #first = new Map<string, string>();
  readonly #several = new Map<string, Set<string>>();

  constructor({ extracts }: Policy) {
    this.#isOn = extracts;
  }

  add({ tag, place: { value } }: Candidate): void {
    if (!this.#isOn) return;
    const first = this.#first.get(value);
    if (first === undefined) this.#first.set(value, tag);
    else if (first !== tag) {
      const all = this.#several.get(value) ?? new Set([first]);
      this.#several.set(value, all.add(tag));
    }
  }

  list(): readonly Collision[] {
    return [...this.#several]
      .map(([value, tags]) => ({ value, tags: [...tags].sort(newestNaturally) }))
      .sort((a, b) => newestNaturally(a.value, b.value));
  }
}
