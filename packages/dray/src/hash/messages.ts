import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import type { Failure } from "./failure.ts";

/** A part of a file, by the number that the system gave it: threads share those. */
export interface FilePart {
  readonly fd: number;
  readonly position: number;
}

/** One step of one hash; the first message of an `id` begins it, and each with `parts` has its answer. */
export type ToWorker =
  /** Adds these bytes, whose buffers are transferred. */
  | {
      readonly id: number;
      readonly algorithm: DigestAlgorithm;
      readonly parts: readonly Uint8Array<ArrayBuffer>[];
      /** Also the digest of what it is without compression, of threads that do such. */
      readonly inside: DigestAlgorithm | undefined;
      /** Where they are written as well. After a write that failed nothing more of this `id` is written. */
      readonly to: FilePart | undefined;
      /** Answer with the digest; this is over. */
      readonly last: boolean;
    }
  /** Nobody wants the digest any more. There is no answer. */
  | { readonly id: number; readonly abandoned: true };

/** The answer to some parts. */
export interface FromWorker {
  readonly id: number;
  readonly bytes: number;
  /** Blocks to be filled again. */
  readonly blocks: readonly ArrayBuffer[];
  readonly digest: Digest | undefined;
  /** Of what it is without compression. */
  readonly inside: Digest | undefined;
  readonly failure: Failure | undefined;
  readonly last: boolean;
}
