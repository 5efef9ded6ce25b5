import { LruCache } from "dray/internal/async";

/**
 * Encoded pages of lists. Each belongs to the generation of its repository: whatever changes a repository begins the next one, and
 * pages of older ones are never served again.
 */
export class Lists {
  readonly #pages: LruCache<string, { readonly generation: number; readonly page: ListPage }>;
  readonly #generations = new Map<string, number>();

  /** @param memory bytes */
  constructor(memory: number) {
    this.#pages = new LruCache(memory);
  }

  get bytes(): number {
    return this.#pages.weight;
  }

  /** Repositories that changes are counted of. */
  get repositories(): number {
    return this.#generations.size;
  }

  /** Call it when the list is known to be current, and build without waiting: nothing changes in between. */
  page(repository: string, key: string, build: () => ListPage): ListPage {
    const generation = this.#generations.get(repository) ?? 0;
    const name = `${repository}\0${key}`;
    const kept = this.#pages.get(name);
    if (kept?.generation === generation) return kept.page;
    const page = build();
    // A client chooses how long the key is.
    this.#pages.set(name, { generation, page }, page.bytes.byteLength + 2 * name.length + 300);
    return page;
  }

  /** Something in the repository changed. */
  changed(repository: string): void {
    this.#generations.set(repository, (this.#generations.get(repository) ?? 0) + 1);
  }
}

export interface ListPage {
  readonly bytes: Uint8Array;
  /** Where the next page begins, if there is one. */
  readonly next: string | undefined;
}
