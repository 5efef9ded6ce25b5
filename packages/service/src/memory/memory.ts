import { aborted } from "dray/errors";

/** Bytes that somebody has in memory, counted until he lets go. */
export interface Held {
  readonly bytes: number;
  /** Safe to call twice. */
  free(): void;
}

/** Somebody who waits for memory. */
interface Waiting {
  readonly bytes: number;
  readonly admit: (held: Held) => void;
}

/**
 * Counts bytes in memory of bodies and answers, all of them together, and holds them to one bound. Each kind of them has a share with a
 * little that is its own: however much the others hold, every kind goes on.
 */
export class Memory {
  readonly most: number;
  #used = 0;
  readonly #shares: Share[] = [];

  /** @param most bytes that all hold together, but for what is each share's own. Default 32 MiB */
  constructor(most: number = 32 * 1024 * 1024) {
    this.most = most;
  }

  /** Bytes that are held. */
  get used(): number {
    return this.#used;
  }

  /** How many wait for bytes. */
  get waiting(): number {
    return this.#shares.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** @param least bytes that are there for it whatever others hold */
  share(least: number): Share {
    const share = new Share(this, least, (bytes) => {
      this.#used += bytes;
      if (bytes < 0) for (const one of this.#shares) one.admit();
    });
    this.#shares.push(share);
    return share;
  }
}

/** What one kind of holder has of the memory. */
export class Share {
  readonly #memory: Memory;
  readonly #least: number;
  readonly #count: (bytes: number) => void;
  readonly #waiting = new Set<Waiting>();
  readonly #shared = new Map<ArrayBufferLike, { readonly held: Held; holders: number }>();
  #used = 0;

  constructor(memory: Memory, least: number, count: (bytes: number) => void) {
    this.#memory = memory;
    this.#least = least;
    this.#count = count;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether so many more may be held: within what all have together, or within its own. */
  fits(bytes: number): boolean {
    return this.#memory.used + bytes <= this.#memory.most || this.fitsOwn(bytes);
  }

  /** Whether so many more are within its own. */
  fitsOwn(bytes: number): boolean {
    return this.#used + bytes <= this.#least;
  }

  /** Half of the memory: what merely makes things faster goes no further, and leaves the rest to other kinds. */
  get spare(): number {
    return this.#memory.most / 2;
  }

  /** Whether so many more fit and stay within that half. */
  isSpare(bytes: number): boolean {
    return this.#used + bytes <= this.spare && this.#memory.used + bytes <= this.#memory.most;
  }

  /** Holds bytes in any case: what is there already, or little that nobody should wait for. */
  hold(bytes: number): Held {
    this.#add(bytes);
    let held = true;
    return {
      bytes,
      free: () => {
        if (held) this.#add(-bytes);
        held = false;
      },
    };
  }

  /** Holds bytes that several may have at a time, counted once. */
  holdShared({ buffer }: Uint8Array): Held {
    const known = this.#shared.get(buffer) ?? { held: this.hold(buffer.byteLength), holders: 0 };
    this.#shared.set(buffer, known);
    known.holders++;
    let holds = true;
    return {
      bytes: buffer.byteLength,
      free: () => {
        if (!holds) return;
        holds = false;
        if (--known.holders > 0) return;
        this.#shared.delete(buffer);
        known.held.free();
      },
    };
  }

  /** Holds bytes when they fit, in the order of asking; one who wants more than there ever is comes alone. @throws DrayError `ABORTED` */
  async take(bytes: number, signal?: AbortSignal): Promise<Held> {
    if (signal?.aborted === true) throw aborted(signal);
    if (this.#waiting.size === 0 && this.#mayHave(bytes)) return this.hold(bytes);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        bytes,
        admit: (held) => {
          signal?.removeEventListener("abort", leave);
          resolve(held);
        },
      };
      const leave = (): void => {
        this.#waiting.delete(waiting);
        reject(aborted(signal as AbortSignal));
        this.admit();
      };
      this.#waiting.add(waiting);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Lets in who waits, as far as there is room. */
  admit(): void {
    for (const waiting of this.#waiting) {
      if (!this.#mayHave(waiting.bytes)) return;
      this.#waiting.delete(waiting);
      waiting.admit(this.hold(waiting.bytes));
    }
  }

  #mayHave(bytes: number): boolean {
    return this.fits(bytes) || this.#used === 0;
  }

  #add(bytes: number): void {
    this.#used += bytes;
    this.#count(bytes);
  }
}
