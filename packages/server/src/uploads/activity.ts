/** When something last happened to each session of each repository, for as long as anybody cares. */
export class Activity {
  /** By repository and session, longest ago first. */
  readonly #times = new Map<string, Map<string, number>>();
  readonly #lease: number;
  readonly #now: () => number;

  constructor(lease: number, now: () => number) {
    this.#lease = lease;
    this.#now = now;
  }

  touch(repository: string, id: string): void {
    let times = this.#times.get(repository);
    if (times === undefined) {
      times = new Map();
      this.#times.set(repository, times);
    }
    times.delete(id);
    times.set(id, this.#now());
  }

  forget(repository: string, id: string): void {
    const times = this.#times.get(repository);
    times?.delete(id);
    if (times?.size === 0) this.#times.delete(repository);
  }

  /** Whether anything happened within one lease. */
  isLively(repository: string): boolean {
    const times = this.#times.get(repository);
    if (times === undefined) return false;
    const since = this.#now() - this.#lease;
    for (const [id, time] of times) {
      if (time > since) return true;
      times.delete(id);
    }
    this.#times.delete(repository);
    return false;
  }
}
