import type { Failure } from "dray/internal/hash";
import type { Digest, DigestAlgorithm } from "dray/oci";

/** What a thread is told: a step of a file, or that a block is no more, which it does not answer. */
export type ToReceiver = FileStep | { readonly kind: "forget"; readonly block: number };

/** One step of one file; the answers of a file come in the order of its steps. */
export type FileStep = { readonly id: number } & (
  | {
      readonly kind: "open";
      readonly path: string;
      readonly algorithm: DigestAlgorithm;
      /** Bytes that count; what lies behind them is cut off. Without it, all that is there counts. */
      readonly size: number | undefined;
      /** It will be brought to the disk. */
      readonly lasting: boolean;
    }
  /** Hashes and writes the first `length` bytes of a block at the end; the block is free again when that is answered. */
  | {
      readonly kind: "block";
      readonly block: number;
      readonly length: number;
      /** Of a block that the thread does not know yet. */
      readonly memory: Uint8Array<SharedArrayBuffer> | undefined;
    }
  /** Takes back what lies behind `size`, and whatever failed before. */
  | { readonly kind: "cut"; readonly size: number }
  | { readonly kind: "digest"; readonly algorithm: DigestAlgorithm }
  | { readonly kind: "close" }
);

export interface FromReceiver {
  readonly id: number;
  /** Bytes that are written. */
  readonly size: number;
  readonly digest?: Digest;
  readonly failure?: Failure;
}
