/**
 * Looks that pushes ask for: one for each repository at a time, and what is said meanwhile is in the next one, so that a hundred pushes are two looks.
 */
export class PushLooks {
  readonly #look: (repository: string, tags: readonly string[]) => Promise<unknown>;
  readonly #wanted = new Map<string, Set<string>>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(look: (repository: string, tags: readonly string[]) => Promise<unknown>) {
    this.#look = look;
  }

  /** A look at a repository is wanted, at a tag above all. */
  want(repository: string, tag: string | undefined): void {
    const tags = this.#wanted.get(repository) ?? new Set();
    if (tag !== undefined) tags.add(tag);
    this.#wanted.set(repository, tags);
    if (!this.#running.has(repository)) this.#running.set(repository, this.#run(repository));
  }

  /** When nothing is wanted any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #run(repository: string): Promise<void> {
    for (let tags = this.#wanted.get(repository); tags !== undefined; tags = this.#wanted.get(repository)) {
      this.#wanted.delete(repository);
      await this.#look(repository, [...tags]);
    }
    this.#running.delete(repository);
  }
}
