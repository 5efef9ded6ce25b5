import type { Digest, DigestAlgorithm } from "../oci/index.ts";

/** One step of one hash; the first message of an `id` begins it. */
export type ToWorker =
  /** Add these bytes. The buffer behind them is transferred, and comes back in the answer. `last`: answer with the digest too. */
  | {
      readonly id: number;
      readonly algorithm: DigestAlgorithm;
      readonly block: Uint8Array<ArrayBuffer>;
      readonly last: boolean;
    }
  /** Nobody wants the digest any more. There is no answer. */
  | { readonly id: number; readonly abandoned: true };

/** The answer to a block. */
export interface FromWorker {
  readonly id: number;
  readonly buffer: ArrayBuffer;
  readonly digest: Digest | undefined;
}
