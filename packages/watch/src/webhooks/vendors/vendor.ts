import { type HeaderPairs } from "dray/http";
import { parseRepository } from "../../repository.ts";
import type { Notice, Push } from "../notice.ts";

/** What a notice is read with. */
export interface Reading {
  readonly headers: HeaderPairs;
  /** Host of the registry, where it is configured. */
  readonly registry?: string | undefined;
}

/** One kind of sender. */
export interface Vendor {
  /** Where its secret is: in a header, in the path, in a signature of the body, or in a token of Google. */
  readonly proof: "header" | "path" | "signature" | "google";
  /** The header of the secret, where it is not `Authorization`. */
  readonly header?: string;
  /** Reads a body; `undefined` for one that is none of this kind. May throw for names that no repository can have. */
  readonly read: (json: unknown, reading: Reading) => Notice | undefined;
}

/** A push from its parts. @throws InvalidReferenceError for what is no repository */
export const pushOf = (
  repository: string,
  {
    tag,
    digest,
    action = "push",
    below,
  }: { tag?: string | undefined; digest?: string | undefined; action?: Push["action"]; below?: true },
): Push => ({
  repository: parseRepository(repository).text,
  ...(below === undefined ? {} : { below }),
  ...(tag === undefined ? {} : { tag }),
  ...(digest === undefined ? {} : { digest }),
  action,
});
