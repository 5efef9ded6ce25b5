import type { Cancel } from "../content/index.ts";
import { type ErrorCode, isDrayError } from "../errors.ts";
import { type Annotations, isDigest } from "../oci/index.ts";
import { openEstargz } from "./open-estargz.ts";
import { openZstdChunked, zstdChunkedAnnotations } from "./open-zstd-chunked.ts";
import type { Ranges } from "./ranges.ts";
import type { SeekableLayer } from "./seekable-layer.ts";
import { estargzAnnotations } from "./toc.ts";

/** What is wrong with a table of contents that there is. */
const unusable: readonly ErrorCode[] = [
  "MANIFEST_INVALID",
  "ARCHIVE_INVALID",
  "DIGEST_MISMATCH",
  "SIZE_MISMATCH",
  "LIMIT_EXCEEDED",
  "UNSUPPORTED",
];

/**
 * Opens a layer whose annotations say that single files of it can be read. `undefined` for any other, and where its table of contents is not what
 * they say: all of it can be read then, and checked by its own digest.
 * @throws DrayError what reading throws
 */
export const openSeekable = async (
  ranges: Ranges,
  annotations: Annotations = {},
  options: Cancel = {},
): Promise<SeekableLayer | undefined> => {
  const { tocDigest, checksum, position } = tableOf(annotations);
  try {
    if (tocDigest !== undefined) return await openEstargz(ranges, tocDigest, options);
    if (checksum !== undefined && position !== undefined)
      return await openZstdChunked(ranges, checksum, position, options);
    return undefined;
  } catch (error) {
    if (isDrayError(error, ...unusable)) return undefined;
    throw error;
  }
};

/** Whether annotations of a layer say that it has a table of contents. */
export const hasTable = (annotations: Annotations = {}): boolean => {
  const { tocDigest, checksum, position } = tableOf(annotations);
  return tocDigest !== undefined || (checksum !== undefined && position !== undefined);
};

const tableOf = (annotations: Annotations) => {
  const tocDigest = annotations[estargzAnnotations.tocDigest];
  const { checksum, position } = zstdChunkedAnnotations(annotations);
  return {
    tocDigest: isDigest(tocDigest) ? tocDigest : undefined,
    checksum: isDigest(checksum) ? checksum : undefined,
    position,
  };
};
