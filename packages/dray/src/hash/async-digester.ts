import type { Digest } from "../oci/index.ts";

/** A running hash that may be computed elsewhere. */
export interface AsyncDigester {
  /** Adds bytes, which stay the caller's own once this resolves. It resolves when there is room for more: wait for it. */
  update(chunk: Uint8Array): Promise<void>;
  /** Ends the hash. Call this or `abandon`, once. */
  digest(): Promise<Digest>;
  /** Lets go of a hash that nobody wants any more. Safe to call after `digest` and more than once. */
  abandon(): void;
}
