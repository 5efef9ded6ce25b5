import { layerDigests, sniffCompression } from "../../compression/index.ts";
import {
  borrowed,
  bytesContent,
  type Content,
  type Ingests,
  overlay,
  put,
  type ReadableStore,
  type ReadOptions,
} from "../../content/index.ts";
import { defined } from "../../defined.ts";
import { DrayError, errorIn } from "../../errors.ts";
import { errnoBehind, fileContent, nodeFiles } from "../../files/index.ts";
import {
  type Annotations,
  type Compression,
  type Descriptor,
  type Digest,
  encodeJson,
  mediaTypes,
} from "../../oci/index.ts";
import type { HistoryEntry, ImageConfig } from "../config.ts";
import { type Image, viewOf } from "../views.ts";
import { heldContent } from "./held.ts";
import { type OnceLayer, onceLayer } from "./once-layer.ts";

/** One layer of an image to be: its bytes, a tar that may be compressed, and what is said of it. */
export interface LayerParts {
  /** Bytes, the path of a file, content that can be opened again, or a stream, which is read once. */
  readonly content: Uint8Array | string | Content | AsyncIterable<Uint8Array>;
  /** Default: by how the bytes begin, OCI's or Docker's as the image's. A stream's has to be said. */
  readonly mediaType?: string | undefined;
  readonly annotations?: Annotations | undefined;
  /** How it came to be. Default: nothing is said, unless of another layer something is; then an empty entry. */
  readonly history?: HistoryEntry | undefined;
}

/** The least that makes an image. */
export interface ImageParts {
  /** The configuration. `rootfs` is filled in, and `history` where layers say theirs. Default: an empty one. */
  readonly config?: ImageConfig | undefined;
  /** Bottom layer first. Default: none. */
  readonly layers?: readonly LayerParts[] | undefined;
  /** Of the manifest. */
  readonly annotations?: Annotations | undefined;
  /** Whose media types it has. Default `oci`. */
  readonly form?: "oci" | "docker" | undefined;
}

/** How an image is made. */
export interface ImageFromOptions extends Pick<ReadOptions, "signal"> {
  /** Where layers that can be read once are put, since their digests are known only then: the store that the image goes to. */
  readonly into?: (ReadableStore & Ingests) | undefined;
}

/**
 * An image from a configuration and layers: digests, sizes, diffIDs and the manifest are filled in. Each layer is read once for that, and again
 * by whoever copies the image; none is held in memory.
 * @throws DrayError `USAGE` for a stream without `into` or without its media type; `CONSUMED` for one that was read before; `NOT_FOUND`, `DISK` for files;
 *   `MANIFEST_INVALID` for compressed bytes that are damaged
 * @example
 * const image = await imageFrom({ config: { os: "linux", architecture: "amd64" }, layers: [{ content: "rootfs.tar.gz" }] });
 * await copy({ store: image.store, name: image.descriptor.digest, location: "" }, await open("registry.example/acme/app:1.0"));
 */
export const imageFrom = async (parts: ImageParts, options: ImageFromOptions = {}): Promise<Image> => {
  const { config = emptyConfig, layers = [], annotations, form = "oci" } = parts;
  const contents = new Map<Digest, Content>();
  const made: Described[] = [];
  for (const [i, layer] of layers.entries()) {
    try {
      const found = await described(layer, form, options);
      made.push(found);
      if (found.content !== undefined) contents.set(found.descriptor.digest, found.content);
    } catch (error) {
      throw errorIn(`layer ${i + 1}`, error, errnoBehind(error) === "ENOENT" ? { code: "NOT_FOUND" } : {});
    }
  }
  const store = overlay(heldContent(contents, options.into));
  const types = form === "oci" ? ociTypes : dockerTypes;
  const history = layers.some((layer) => layer.history !== undefined)
    ? layers.map((layer) => layer.history ?? {})
    : config.history;
  const document = defined({
    ...config,
    rootfs: { type: "layers", diff_ids: made.map(({ diffID }) => diffID) },
    history,
  });
  const manifest = defined({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: await put(store.top, encodeJson(document), { mediaType: types.config }),
    layers: made.map(({ descriptor }) => descriptor),
    annotations,
  });
  const root = await put(store.top, encodeJson(manifest), { mediaType: types.manifest, kind: "manifest" });
  return (await viewOf(store, root)) as Image;
};

const emptyConfig: ImageConfig = { architecture: "", os: "" };

interface Described {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
  /** Where to read it; nothing where it lies in a store. */
  readonly content?: Content;
}

const described = async (
  { content: given, mediaType, annotations }: LayerParts,
  form: "oci" | "docker",
  { into, signal }: ImageFromOptions,
): Promise<Described> => {
  if (isStream(given)) {
    const layer = onceLayer(given, mediaType ?? refuse("the media type of a stream has to be said: mediaType"));
    if (into === undefined)
      return refuse("a stream can be read once; say with into where it is put, or keep it in a file");
    return {
      descriptor: defined<Descriptor>({ ...(await ingested(layer, into, signal)), annotations }),
      diffID: layer.diffID,
    };
  }
  const content =
    typeof given === "string" ? fileContent(nodeFiles, given) : ArrayBuffer.isView(given) ? bytesContent(given) : given;
  const noted: Noted = { start: new Uint8Array(), size: 0 };
  const digests = await layerDigests(borrowed(noting(content.open({ signal }), noted)), {
    size: content.size ?? 0,
    algorithm: "sha256",
    inside: "sha256",
  });
  const type = mediaType ?? (form === "oci" ? ociTypes : dockerTypes).layer[sniffCompression(noted.start)];
  const descriptor = defined<Descriptor>({ mediaType: type, digest: digests.digest, size: noted.size, annotations });
  return { descriptor, diffID: digests.diffID, content };
};

const ingested = async (layer: OnceLayer, into: Ingests, signal: AbortSignal | undefined): Promise<Descriptor> => {
  await into.ingest(layer.content, { mediaType: layer.mediaType, kind: "blob", signal });
  return layer.descriptor;
};

const refuse = (message: string): never => {
  throw new DrayError("USAGE", message);
};

const isStream = (content: LayerParts["content"]): content is AsyncIterable<Uint8Array> =>
  typeof content === "object" && Symbol.asyncIterator in content;

/** How bytes began, and how many there were. */
interface Noted {
  start: Uint8Array;
  size: number;
}

async function* noting(chunks: AsyncIterable<Uint8Array>, noted: Noted): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (noted.start.byteLength < 4) noted.start = Buffer.concat([noted.start, chunk.subarray(0, 4)]);
    noted.size += chunk.byteLength;
    yield chunk;
  }
}

const ociTypes: { manifest: string; config: string; layer: Record<Compression, string> } = {
  manifest: mediaTypes.ociManifest,
  config: mediaTypes.ociConfig,
  layer: { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd },
};

const dockerTypes: typeof ociTypes = {
  manifest: mediaTypes.dockerManifest,
  config: mediaTypes.dockerConfig,
  layer: { none: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.dockerLayerZstd },
};
