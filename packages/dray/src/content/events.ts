import type { Descriptor } from "../oci/index.ts";

/**
 * What happens while content moves. A closed union: a reader may switch over `type` and be sure of having all.
 * Sizes are bytes, times milliseconds.
 */
export type ProgressEvent =
  /** More work is known: add `blobs` and `bytes` to the totals. Comes again as manifests are read. */
  | { readonly type: "plan"; readonly blobs: number; readonly bytes: number }
  /** A transfer begins. `offset`: bytes that an earlier attempt had already moved. Comes again, with fewer, where those were of no use. */
  | { readonly type: "start"; readonly descriptor: Descriptor; readonly offset: number }
  /** `bytes` more of it are through. A retry does not count bytes again: the sum never exceeds the size. */
  | { readonly type: "bytes"; readonly descriptor: Descriptor; readonly bytes: number }
  | { readonly type: "done"; readonly descriptor: Descriptor }
  /** It was there already. */
  | { readonly type: "skipped"; readonly descriptor: Descriptor }
  /** The target's registry took it over by itself, and no bytes went there. */
  | { readonly type: "mounted"; readonly descriptor: Descriptor }
  /** The same is tried again after `delay`. */
  | {
      readonly type: "retry";
      /** The host that did not answer as it should. */
      readonly registry?: string;
      readonly what: string;
      readonly attempt: number;
      readonly delay: number;
      readonly reason: string;
    }
  /** A registry asked us to wait; `reason`: what it said, where it is not that it limits us. */
  | { readonly type: "throttled"; readonly registry: string; readonly delay: number; readonly reason?: string }
  /** What an answer says is left of a limit: requests that may still be made, of how many, milliseconds until it is whole again, and milliseconds that it is for. */
  | {
      readonly type: "rateLimit";
      readonly registry: string;
      readonly remaining: number;
      readonly limit?: number;
      readonly reset?: number;
      readonly window?: number;
    }
  /** Something the user should know, said once. `partial`: what was asked for is not whole, such as a list that was cut off. */
  | { readonly type: "warning"; readonly message: string; readonly partial?: true };

/** Hears of what happens. It is called in between and must neither throw nor wait. */
export type OnEvent = (event: ProgressEvent) => void;
