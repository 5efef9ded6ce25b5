import type { RegistryOptions } from "../../src/options.ts";
import type { RefusalCode } from "../../src/registry-error.ts";

/** A request and what is to come of it. Words in braces stand for what `fixture.ts` has put there. */
export interface Ask {
  /** Method and target: `GET /v2/{app}/blobs/{blob}`. */
  readonly ask: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `null`: none; default: none. */
  readonly body?: Uint8Array | string;
  /** What is announced of the body's length. Default its length; `"unknown"`: nothing. */
  readonly length?: number | "unknown";
  /** Name of who asks. */
  readonly as?: string;
  readonly status: number;
  /** Of a refusal. */
  readonly code?: RefusalCode;
  /** Headers of the answer; `null`: not there. */
  readonly shows?: Readonly<Record<string, string | RegExp | null>>;
  /** What the body is. */
  readonly says?: RegExp | Uint8Array;
}

/** One kind of bad input. Whatever is refused leaves no file changed, unless `changes`. */
export interface Case extends Ask {
  readonly name: string;
  readonly settings?: Partial<RegistryOptions>;
  readonly before?: readonly Ask[];
  readonly after?: readonly Ask[];
  readonly changes?: true;
}
