import { type Body, bytesBody } from "dray/content";

/** A body that a server sends. Whoever knows only `Body` reads `chunks`; a socket takes the shorter ways where they are. */
export interface ServedBody extends Body {
  /** All of it, where it lies in memory. Nobody may change or transfer it. */
  readonly bytes?: Uint8Array;
  /**
   * Sends all of it through `write`, which resolves when the bytes have left; their memory is used again then. Rejects where the
   * source fails or `write` does. Holds nothing before it is called nor after it settles.
   */
  readonly pour?: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>;
}

/** A body in memory. Read by `chunks` it is a copy: a client in this process may transfer what it was given. */
export const memoryBody = (bytes: Uint8Array): ServedBody => ({
  length: bytes.byteLength,
  bytes,
  get chunks() {
    return bytesBody(bytes.slice()).chunks;
  },
  discard: async () => {},
});
