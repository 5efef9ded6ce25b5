import { DrayError } from "dray/errors";
import { type HeaderPairs } from "dray/http";
import { isDigest, isTag } from "dray/oci";
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

/**
 * A push from its parts. Host and name stay what they are: of a host that is none, the name would be that of an image of another registry. What is no tag
 * and no digest is left out.
 * @throws DrayError for what is no repository there
 */
export const pushOf = (
  host: string,
  name: string,
  {
    tag,
    digest,
    action = "push",
    below,
  }: { tag?: string | undefined; digest?: string | undefined; action?: Push["action"]; below?: true },
): Push => {
  const { text, namespaceImage } = parseRepository(`${host}/${name}`);
  if (namespaceImage !== name && namespaceImage !== `library/${name}`)
    throw new DrayError("REFERENCE_INVALID", `${host} is no host of a registry`);
  return {
    repository: text,
    ...(below === undefined ? {} : { below }),
    ...(tag !== undefined && isTag(tag) ? { tag } : {}),
    ...(isDigest(digest) ? { digest } : {}),
    action,
  };
};
