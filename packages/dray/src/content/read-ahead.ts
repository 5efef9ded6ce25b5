import type { Descriptor } from "../oci/index.ts";
import type { ReadableStore, ReadOptions } from "./store.ts";
import { transfersAs } from "./transferable.ts";

/** A blob that is being read before anybody wants its bytes. */
export interface ReadAhead {
  /** The store that it is read from: the first reading from its beginning is the one that has begun. */
  readonly source: Pick<ReadableStore, "read">;
  /** Lets go of it, if nobody took it. */
  release(): Promise<void>;
}

/**
 * Asks a store for a blob, so that it comes while its place is made ready. Its first chunk is read, and what a connection holds beyond
 * that; not more.
 */
export const readAhead = (store: ReadableStore, descriptor: Descriptor, options: ReadOptions): ReadAhead => {
  const stop = new AbortController();
  const { signal } = options;
  const ending = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const chunks = store.read(descriptor, { ...options, signal: ending })[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<Uint8Array>> | undefined = chunks.next();
  // Whoever takes it hears of it.
  first.catch(() => {});
  let taken = false;

  const take = (reader: AbortSignal | undefined): AsyncIterator<Uint8Array> => {
    taken = true;
    const leave = (): void => stop.abort(reader?.reason);
    if (reader?.aborted) leave();
    reader?.addEventListener("abort", leave, { once: true });
    return {
      // Gigabytes pass through here: no promise is added to those of the store.
      next: () => {
        const next = first ?? chunks.next();
        first = undefined;
        return next;
      },
      return: async (value) => {
        reader?.removeEventListener("abort", leave);
        return (await chunks.return?.(value)) ?? { done: true, value };
      },
    };
  };
  return {
    source: {
      read: transfersAs<ReadableStore["read"]>(store, (wanted, given = {}) =>
        taken || (given.offset ?? 0) > 0
          ? store.read(wanted, given)
          : { [Symbol.asyncIterator]: () => take(given.signal) },
      ),
    },
    release: async () => {
      if (taken) return;
      taken = true;
      stop.abort();
      await chunks.return?.().catch(() => {});
    },
  };
};
