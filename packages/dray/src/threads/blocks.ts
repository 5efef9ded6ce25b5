/**
 * Memory that threads share: a block goes to a thread and comes back as a number. Transferred buffers would count as new memory
 * wherever they arrive, and collectors work for that more than the threads do.
 */
export interface Block {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** By this the threads know it, once it was sent to them. Never used for another. */
  readonly number: number;
}

/** Bytes of a block: large enough that a hand-over costs nothing against its content, small enough to have many. Larger ones were no faster. */
export const blockSize: number = 256 * 1024;

/**
 * Free blocks kept for the next one who needs some, or as many as are in use where those are more; the others are left to the collector,
 * which learns late of them. As many as a registry uses under load: 64 uploads take and give back a hundred of them again and again, and
 * where each time most were let go their memory stood at twice its size.
 */
const mostFree = 128;
const free: Block[] = [];
let made = 0;
let used = 0;

/** Hear the numbers of blocks that are no more: whoever has seen one forgets it. */
export const forgetters: Set<(block: number) => void> = new Set();

/**
 * A block to fill, with whatever was in it before. Bulk content moves through the same few blocks: fresh memory for each would cost
 * more time than hashing does, and wait for the collector in hundreds of megabytes.
 */
export const takeBlock = (): Block => {
  used++;
  return free.pop() ?? { bytes: new Uint8Array(new SharedArrayBuffer(blockSize)), number: ++made };
};

/** Gives a block back. Nobody may use it afterwards. */
export const giveBlock = (block: Block): void => {
  used--;
  free.push(block);
  while (free.length > Math.max(mostFree, used)) {
    const { number } = free.pop() as Block;
    for (const forget of forgetters) forget(number);
  }
};

/** Blocks of one feed that are on their way at most: one in work, one waiting, one under way. More were no faster. */
const mostAway = 3;
/** Blocks of all feeds together, beyond which each has only one on its way. */
const mostAwayTogether = 32;
let away = 0;
/** Blocks of all feeds together that wait to be filled, beyond which each is handed on with what it has: its feed may never bring more. */
const mostFilling = 32;
let filling = 0;
/** Bytes of a chunk that are taken at once. */
const atOnce = 1024 * 1024;

/**
 * Bounded FIFO queue of blocks: fills them with what comes and hands each on when it is full. Bytes are taken at once and in the
 * order of the calls; what is waited for is room.
 */
export abstract class BlockFeed {
  readonly #away: Block[] = [];
  #block: Block | undefined;
  #filled = 0;
  /** Bytes that the present block is to have. */
  #length: number;
  #failure: { readonly error: unknown } | undefined;
  #news: PromiseWithResolvers<void> | undefined;

  /** @param first bytes that the first block is to have, so that the others begin where it is good for them */
  constructor(first: number) {
    this.#length = first;
  }

  /** Gets each block with the bytes in it, and calls `done` for each, in their order. */
  protected abstract hand(block: Block, length: number): void;

  /** Whether nothing was handed on and not done yet. */
  protected get isIdle(): boolean {
    return this.#away.length === 0;
  }

  /**
   * Takes bytes, which stay the caller's own once this resolves; all of them at once, unless they are very many. Resolves when there is
   * room for more. @throws what the feed failed with
   */
  async update(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { byteLength } = chunk;
    for (let at = 0, taken = 0; at < byteLength; ) {
      if (this.#block === undefined) {
        this.#block = takeBlock();
        filling++;
      }
      const fits = Math.min(this.#length - this.#filled, byteLength - at);
      this.#block.bytes.set(fits === byteLength ? chunk : chunk.subarray(at, at + fits), this.#filled);
      this.#filled += fits;
      at += fits;
      if (this.#filled < this.#length) continue;
      this.#seal();
      if (at - taken < atOnce) continue;
      taken = at;
      await this.#room();
    }
    if (filling > mostFilling) this.#seal();
    if (this.#away.length >= (away >= mostAwayTogether ? 1 : mostAway)) await this.#room();
  }

  /**
   * Hands on what is in the block. After one with fewer bytes than it was to have, the next one ends where it, or half of one more, would
   * have.
   */
  #seal(): void {
    const block = this.#block;
    if (block === undefined) return;
    const length = this.#filled;
    const missing = this.#length - length;
    this.#block = undefined;
    filling--;
    this.#filled = 0;
    this.#length = missing === 0 ? blockSize : missing < blockSize / 2 ? missing + blockSize / 2 : missing;
    this.#away.push(block);
    away++;
    this.hand(block, length);
  }

  /** Hands on everything and resolves when it is done. @throws what the feed failed with */
  async flush(): Promise<void> {
    if (this.#failure === undefined) this.#seal();
    while (this.#away.length > 0) await this.#change();
    this.#check();
  }

  /** The oldest block that is away is done with. */
  protected done(): void {
    const block = this.#away.shift();
    if (block === undefined) return;
    away--;
    giveBlock(block);
    this.#news?.resolve();
    this.#news = undefined;
  }

  /** From now on nothing is taken; those who wait hear of it. What is away may still be done. */
  protected fail(error: unknown): void {
    this.#failure ??= { error };
    this.#news?.resolve();
    this.#news = undefined;
  }

  /** Nothing that is away will ever be done. Whoever had it may be at it still, so it is not used again. */
  protected lose(error: unknown): void {
    away -= this.#away.length;
    used -= this.#away.length;
    this.#away.length = 0;
    this.fail(error);
  }

  /** Takes back what is in the block, handed on to nobody. */
  protected drop(): void {
    if (this.#block !== undefined) {
      giveBlock(this.#block);
      filling--;
    }
    this.#block = undefined;
    this.#filled = 0;
  }

  /** What is in the block, while it is. */
  protected get rest(): Uint8Array {
    return this.#block?.bytes.subarray(0, this.#filled) ?? new Uint8Array(0);
  }

  async #room(): Promise<void> {
    while (this.#away.length >= (away >= mostAwayTogether ? 1 : mostAway)) await this.#change();
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #change(): Promise<void> {
    this.#news ??= Promise.withResolvers();
    return this.#news.promise;
  }
}
