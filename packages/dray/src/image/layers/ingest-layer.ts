import { teed } from "../../async/index.ts";
import { compressed, decompressed, highestLevel, peeked } from "../../compression/index.ts";
import {
  borrowed,
  type Content,
  detach,
  type Ingests,
  isTransferring,
  type OnEvent,
  passedOver,
  type ReadableStore,
  transfersChunks,
} from "../../content/index.ts";
import { defined } from "../../defined.ts";
import { DrayError, errorIn } from "../../errors.ts";
import { type AsyncDigester, digesterFor } from "../../hash/index.ts";
import { refuseNumber } from "../../numbers.ts";
import { type Annotations, type Compression, type Descriptor, type Digest, mediaTypes } from "../../oci/index.ts";
import { type EstargzOptions, estargz } from "../../seekable/index.ts";
import { beginsTar } from "../../tar/index.ts";
import { contentOf, type LayerContent } from "./contents.ts";
import { timedTar } from "./timed-tar.ts";
import { windowsTar } from "./windows-tar.ts";

/** A layer that lies in a store and is in no image yet. */
export interface NewLayer {
  /** With the type that OCI has for it; an image of Docker's types is given Docker's. Annotations that eStargz is read by are on it. */
  readonly descriptor: Descriptor;
  /** Digest of the tar inside. */
  readonly diffID: Digest;
  readonly compression: Compression;
  /** Where it lies. */
  readonly store: ReadableStore;
}

/** What becomes of a tar on its way to be a layer. */
export interface IngestLayerOptions {
  /** Default: what is compressed stays byte for byte as it is, and a plain tar becomes gzip. */
  readonly compression?: Compression | undefined;
  /** gzip's from 1 to 9, default 1 as a push has it; zstd's from 1 to 19, default 3. What is compressed in the wanted way already is done again only with a level. */
  readonly level?: number | undefined;
  /** What eStargz is to be made with, from any tar: gzip of which single files can be read. Default: none is made. */
  readonly estargz?: Omit<EstargzOptions, "level"> | undefined;
  /** One time for everything in it, in seconds since 1970: its headers are written anew. Default: as it is. */
  readonly mtime?: number | undefined;
  /** `true`: a plain tar of files becomes what Windows wants of a layer. Default `false`. */
  readonly windows?: boolean | undefined;
  /** `true`: nothing at all is a tar, too, as layers of some builders are. Default `false`: it is refused, as what a command leaves that failed. */
  readonly empty?: boolean | undefined;
  /** What errors call it. Default `the layer`. */
  readonly what?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Puts a tar, compressed or not, into a store as a layer, in one pass: it is compressed, and both of its digests are computed, while it goes
 * there. Nothing is kept on disk or held in memory. An image names it then by `appended`.
 * @param given a tar, compressed or not
 * @throws DrayError `USAGE` for a level that is none, `CONSUMED` where a stream would have to be read again, `MANIFEST_INVALID` for damaged compression, `ARCHIVE_INVALID` where there is no tar, and what reading
 *   and writing throw
 * @example
 * const layer = await ingestLayer(target, directoryTar("./public"));
 * const { store, root } = await edit(await viewOf(base.store, found), appended([{ layer }]));
 * await copy({ ...base, store, name: root.digest }, { store: target, name: "1.1", location: "target" });
 */
export const ingestLayer = async (
  target: ReadableStore & Ingests,
  given: LayerContent,
  options: IngestLayerOptions = {},
): Promise<NewLayer> => {
  const { level, what = "the layer", signal, onEvent } = options;
  refuseNumber("level", level, { to: highestLevel[options.compression === "zstd" ? "zstd" : "gzip"] });
  if (options.estargz !== undefined && (options.compression ?? "gzip") !== "gzip")
    throw new DrayError("USAGE", `eStargz is gzip, and not ${options.compression}; leave one of the two out`);
  const content = contentOf(given, what);
  let made: Made | undefined;
  const layer: Content = {
    open: transfersChunks<Content["open"]>(({ offset = 0, signal: own } = {}) => {
      const making = layerOf(content, options, own ?? signal);
      made = making;
      return passedOver(offset, making.chunks);
    }),
  };
  try {
    const descriptor = await target.ingest(
      layer,
      defined({ mediaType: mediaTypes.ociLayer, kind: "blob", signal, onEvent }),
    );
    const { compression, diffID, annotations } = (made as Made).result();
    return {
      descriptor: defined<Descriptor>({ ...descriptor, mediaType: ociLayerTypes[compression], annotations }),
      diffID,
      compression,
      store: target,
    };
  } catch (error) {
    throw errorIn(what, error);
  }
};

/** OCI's name for a layer, by its compression. */
export const ociLayerTypes: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** One pass over a layer, and what it found when it has ended. */
interface Made {
  readonly chunks: AsyncIterable<Uint8Array>;
  result(): LayerFacts;
}

interface LayerFacts {
  readonly compression: Compression;
  readonly diffID: Digest;
  readonly annotations?: Annotations | undefined;
}

const layerOf = (content: Content, options: IngestLayerOptions, signal: AbortSignal | undefined): Made => {
  let facts: LayerFacts | undefined;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const { windows = false, level } = options;
    const isRewritten = windows || options.mtime !== undefined;
    if (options.estargz !== undefined) {
      const plain = { open: () => tarIn(decompressed(content.open(defined({ signal }))), options) };
      const tar = { open: () => rewritten(plain.open(), options) };
      const layer = estargz(tar, defined({ ...options.estargz, level }));
      yield* borrowed(layer.open(defined({ signal })));
      const { diffID, annotations } = layer.facts();
      facts = { compression: "gzip", diffID, annotations };
      return;
    }
    const opened = content.open(defined({ signal }));
    const { compression: how, whole } = await peeked(isTransferring(content) ? opened : borrowed(opened));
    const compression = options.compression ?? (how === "none" || windows ? "gzip" : how);
    const hash = digesterFor("sha256", content.size);
    try {
      if (how === compression && how !== "none" && !isRewritten && level === undefined)
        yield* teed(whole, (copy) => drained(hashing(tarIn(decompressed(copy), options), hash)));
      else {
        const hashed = hashing(rewritten(tarIn(decompressed(whole), options), options), hash);
        yield* compression === "none" ? hashed : compressed(hashed, compression, level);
      }
      facts = { compression, diffID: await hash.digest() };
    } finally {
      hash.abandon();
    }
  }
  return {
    chunks: chunks(),
    result: () => {
      if (facts === undefined) throw new DrayError("USAGE", "a layer was not read to its end");
      return facts;
    },
  };
};

const rewritten = (
  chunks: AsyncIterable<Uint8Array>,
  { windows = false, mtime }: IngestLayerOptions,
): AsyncIterable<Uint8Array> => {
  const own = windows ? windowsTar(chunks) : chunks;
  return mtime === undefined ? own : timedTar(own, mtime);
};

async function* hashing(chunks: AsyncIterable<Uint8Array>, hash: AsyncDigester): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    await hash.update(chunk);
    yield chunk;
  }
}

const drained = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
  for await (const chunk of chunks) detach(chunk);
};

/** The same bytes, if they are a tar: whoever names another file wants to hear of it now, and not when a container is started. */
async function* tarIn(
  chunks: AsyncIterable<Uint8Array>,
  { empty = false }: IngestLayerOptions,
): AsyncGenerator<Uint8Array> {
  let start: Uint8Array | undefined = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (start !== undefined && start.byteLength < 512)
      start = Buffer.concat([start, chunk.subarray(0, 512 - start.byteLength)]);
    if (start?.byteLength === 512) {
      if (!beginsTar(start)) throw notTar();
      start = undefined;
    }
    yield chunk;
  }
  if (start !== undefined && !(empty && start.byteLength === 0)) throw notTar();
}

const notTar = (): DrayError =>
  new DrayError("ARCHIVE_INVALID", "this is no tar, compressed or not; pack the files first");
