/** Bytes that come before they are begun to be synced: enough for the disk to write in one go. */
const share = 16 * 1024 * 1024;

/**
 * Brings a large file to the disk while it grows, beside its thread's other work, so that whoever waits for the disk in the end
 * finds little left. A failure is final: the system tells of it once and may have dropped what was written, so the next sync
 * would succeed.
 */
export class EarlySync {
  readonly #sync: (done: (error: Error | null) => void) => void;
  readonly #onFailure: () => void;
  #left = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: Error } | undefined;

  constructor(sync: (done: (error: Error | null) => void) => void, onFailure: () => void) {
    this.#sync = sync;
    this.#onFailure = onFailure;
  }

  /** Counts bytes that were written. */
  wrote(length: number): void {
    this.#left += length;
    if (this.#left < share || this.#running !== undefined || this.#failure !== undefined) return;
    this.#left = 0;
    this.#running = new Promise((resolve) => {
      this.#sync((error) => {
        this.#running = undefined;
        if (error !== null) {
          this.#failure = { error };
          this.#onFailure();
        }
        resolve();
      });
    });
  }

  /** @throws what the disk said */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when none is running. */
  async over(): Promise<void> {
    await this.#running;
  }
}
