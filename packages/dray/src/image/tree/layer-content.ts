import { decompressed } from "../../compression/index.ts";
import { borrowed, detach, isTransferring, type ReadOptions, verified } from "../../content/index.ts";
import { DrayError, isDrayError, restated } from "../../errors.ts";
import { readEntries, type StreamedEntry } from "../../tar/index.ts";
import { refuseEncrypted } from "../readable-layer.ts";
import type { Layer } from "../views.ts";
import { told } from "./told.ts";

/** How a layer is read from its beginning to its end. */
export interface LayerReading extends Pick<ReadOptions, "signal" | "onEvent"> {
  /** `true`: the memory of a body's chunk is given back as soon as the next one is asked for, and nobody may keep it. */
  readonly lends: boolean;
  /** Whether it is told how far the layer is. Not where one is read again. Default `false`. */
  readonly tells?: boolean | undefined;
  /** How many times its compressed size a layer may become, beyond 64 MiB. Default: no limit. */
  readonly ratio?: number | undefined;
}

const neverTooMuch = 64 * 1024 * 1024;

/**
 * The entries of a layer, which has to be what the configuration says it is. A body can be read once, before the next entry is asked for.
 * @throws DrayError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `MANIFEST_INVALID` for damaged compression, `DIGEST_MISMATCH`, and what reading throws
 */
export const entriesOf = (layer: Layer, reading: LayerReading): AsyncGenerator<StreamedEntry> =>
  readEntries(contentOf(layer, reading), { what: `layer ${layer.descriptor.digest}` });

async function* contentOf(layer: Layer, { lends, ratio, tells, ...options }: LayerReading): AsyncGenerator<Uint8Array> {
  const { diffID: digest, descriptor } = layer;
  const { onEvent } = options;
  refuseEncrypted(descriptor);
  const stored = (): AsyncIterable<Uint8Array> => {
    const chunks = layer.compressed(options);
    return tells && onEvent ? told(chunks, descriptor, onEvent) : chunks;
  };
  // What a store gives may be kept by somebody else, unless it says that it is not.
  const chunks = lends
    ? decompressed(isTransferring(layer.store) ? stored() : borrowed(stored()), { release: detach, lends: true })
    : layer.uncompressed(options);
  const most = ratio === undefined ? undefined : Math.max(ratio * descriptor.size, neverTooMuch);
  let bytes = 0;
  try {
    for await (const chunk of digest === undefined ? chunks : verified(chunks, { digest })) {
      bytes += chunk.byteLength;
      if (most !== undefined && bytes > most)
        throw new DrayError(
          "LIMIT_EXCEEDED",
          `layer ${descriptor.digest}: it becomes more than ${ratio} times its size, ${descriptor.size} bytes; raise limits.ratio, if that is right`,
        );
      yield chunk;
      if (lends) detach(chunk);
    }
  } catch (error) {
    if (!isDrayError(error, "MANIFEST_INVALID", "DIGEST_MISMATCH")) throw error;
    if (error.code === "DIGEST_MISMATCH" && error.reference === digest && digest !== descriptor.digest)
      throw new DrayError(
        "DIGEST_MISMATCH",
        `layer ${descriptor.digest}: its content does not have the digest that the configuration names in diff_ids, ${digest}; no container runtime takes this image; build it again`,
        { reference: descriptor.digest, cause: error },
      );
    throw restated(error, error.code, `layer ${descriptor.digest}: ${error.message}`);
  }
}
