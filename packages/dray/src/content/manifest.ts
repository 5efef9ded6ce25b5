import { DrayError, errorIn } from "../errors.ts";
import {
  childrenOf,
  type Descriptor,
  isManifestLike,
  isSchema1Type,
  largestManifest,
  type ParsedManifest,
  parseManifest,
} from "../oci/index.ts";
import { collect } from "./bytes.ts";
import { type ContentKind, isManifest, type ReadableStore, type ReadOptions } from "./store.ts";

/** A manifest in memory: its bytes, which are the truth, and the parsed view of them. */
export interface LoadedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly parsed: ParsedManifest;
}

/**
 * Reads, checks and parses a manifest or index.
 * @throws DrayError `UNSUPPORTED` for another type of content, `LIMIT_EXCEEDED`, `DIGEST_MISMATCH`, `SIZE_MISMATCH`,
 *   `MANIFEST_INVALID`, `NOT_FOUND`
 * @example const { parsed } = await loadManifest(store, await store.resolve("1.0"));
 */
export const loadManifest = async (
  store: ReadableStore,
  descriptor: Descriptor,
  options?: Pick<ReadOptions, "signal" | "onEvent">,
): Promise<LoadedManifest> => {
  const { digest, mediaType } = descriptor;
  // A registry would be asked for a blob, and say that there is none.
  if (!isManifestLike(mediaType) && !isSchema1Type(mediaType))
    throw new DrayError(
      "UNSUPPORTED",
      `${digest} is of type "${mediaType}", which is no manifest or index that Dray knows`,
      { reference: digest },
    );
  if (descriptor.size > largestManifest)
    throw new DrayError(
      "LIMIT_EXCEEDED",
      `manifest ${digest} has ${descriptor.size} bytes; ${largestManifest} are allowed`,
      { reference: digest },
    );
  const chunks = store.read(descriptor, { ...options, kind: "manifest" });
  const bytes = await collect(chunks, largestManifest, `manifest ${digest}`);
  try {
    const { byteLength: size } = bytes;
    // A store may only have been told how large it is; its bytes have the digest.
    return {
      descriptor: size === descriptor.size ? descriptor : { ...descriptor, size },
      bytes,
      parsed: parseManifest(bytes, mediaType),
    };
  } catch (error) {
    throw errorIn(digest, error, { reference: digest });
  }
};

/** The children of a manifest that are of one kind, in their order. */
export const childrenOfKind = (parsed: ParsedManifest, kind: ContentKind): Descriptor[] =>
  childrenOf(parsed).filter((child) => kindOfChild(parsed, child) === kind);

/** What a child of a manifest is. An index names manifests and blobs; what an image names is a blob, whatever its type. */
export const kindOfChild = ({ kind }: ParsedManifest, child: Descriptor): ContentKind =>
  kind === "index" && isManifest(child) ? "manifest" : "blob";
