import { isDrayError } from "../errors.ts";
import type { Descriptor, Digest } from "../oci/index.ts";

/** What has been moved or is being moved, and to where: each piece of content once per target, however many manifests name it. */
export class Ledger {
  readonly #pieces = new Map<object, Map<string, Piece>>();
  readonly #holders = new Map<Digest, Set<object>>();

  /**
   * Everybody who needs the same piece waits for the one who moves it. A key stands for one kind of work. Where that fails, whoever has it from
   * another source tries that.
   */
  async once<T>(target: object, key: string, source: object, work: () => Promise<T>): Promise<T> {
    const pieces = this.#piecesOf(target);
    const failed: object[] = [];
    for (;;) {
      const piece = getOrMake(pieces, key, () => ({ source, done: work() }));
      try {
        return (await piece.done) as T;
      } catch (error) {
        failed.push(piece.source ?? source);
        if (failed.includes(source) || isDrayError(error, "ABORTED")) throw error;
        // The first of those who wait is the next one; the others wait for that.
        if (pieces.get(key) === piece) pieces.delete(key);
      }
    }
  }

  /** Notes a blob that has got there in another way. */
  arrived(target: object, digest: Digest): void {
    this.#piecesOf(target).set(blobKey(digest), { done: Promise.resolve() });
    this.holdersOf(digest).add(target);
  }

  /** Which of these blobs nobody has begun to move to the target, each once. */
  fresh(target: object, blobs: readonly Descriptor[]): Descriptor[] {
    const known = this.#piecesOf(target);
    const unknown = blobs.filter(({ digest }) => !known.has(blobKey(digest)));
    return [...new Map(unknown.map((descriptor) => [descriptor.digest, descriptor])).values()];
  }

  /** Stores that are known to hold a blob by now, to mount it from. */
  holdersOf(digest: Digest): Set<object> {
    return getOrMake(this.#holders, digest, () => new Set());
  }

  #piecesOf(target: object): Map<string, Piece> {
    return getOrMake(this.#pieces, target, () => new Map());
  }
}

/** Work that was begun, and where it reads. */
interface Piece {
  readonly source?: object;
  readonly done: Promise<unknown>;
}

const getOrMake = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
};

export const blobKey = (digest: Digest): string => `blob ${digest}`;
/** A blob that is sent although the target said that it has it. */
export const sentKey = (digest: Digest): string => `sent ${digest}`;
/** A layer that is compressed on its way, by its digest before. */
export const compressedKey = (digest: Digest): string => `compressed ${digest}`;
export const manifestKey = (digest: Digest): string => `manifest ${digest}`;
