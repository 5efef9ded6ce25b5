import type { Descriptor, Digest } from "../oci/index.ts";

/** What has been moved or is being moved, and to where: each piece of content once per target, however many manifests name it. */
export class Ledger {
  readonly #pieces = new Map<object, Map<string, Promise<void>>>();
  readonly #holders = new Map<Digest, Set<object>>();

  /** Everybody who needs the same piece waits for the one who moves it. */
  once(target: object, key: string, work: () => Promise<void>): Promise<void> {
    const pieces = this.#piecesOf(target);
    let piece = pieces.get(key);
    if (piece === undefined) pieces.set(key, (piece = work()));
    return piece;
  }

  /** Which of these blobs nobody has begun to move to the target, each once. */
  fresh(target: object, blobs: readonly Descriptor[]): Descriptor[] {
    const known = this.#piecesOf(target);
    const unknown = blobs.filter(({ digest }) => !known.has(blobKey(digest)));
    return [...new Map(unknown.map((descriptor) => [descriptor.digest, descriptor])).values()];
  }

  /** Stores that are known to hold a blob by now, to mount it from. */
  holdersOf(digest: Digest): Set<object> {
    let holders = this.#holders.get(digest);
    if (holders === undefined) this.#holders.set(digest, (holders = new Set()));
    return holders;
  }

  #piecesOf(target: object): Map<string, Promise<void>> {
    let pieces = this.#pieces.get(target);
    if (pieces === undefined) this.#pieces.set(target, (pieces = new Map()));
    return pieces;
  }
}

export const blobKey = (digest: Digest): string => `blob ${digest}`;
export const manifestKey = (digest: Digest): string => `manifest ${digest}`;
