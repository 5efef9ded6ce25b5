import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { type Content, overlay, put } from "../../content/index.ts";
import { refuseNumber } from "../../numbers.ts";
import { type Descriptor, type Digest, encodeJson, mediaTypes, type Platform } from "../../oci/index.ts";
import { endOfArchive, padding, writeHeader } from "../../tar/index.ts";
import { type Image, type ImageIndex, viewOf } from "../views.ts";
import { heldContent } from "./held.ts";
import { imageFrom } from "./image-from.ts";

/** What a random image is like. */
export interface RandomImageOptions {
  /** Default 1. */
  readonly layers?: number | undefined;
  /** Bytes of the file in each layer. Default 1024. */
  readonly size?: number | undefined;
  /** The same seed gives the same image, on every machine. Default: chance. */
  readonly seed?: string | undefined;
  /** Default `linux/amd64`. */
  readonly platform?: Platform | undefined;
  /** Whose media types it has. Default `oci`. */
  readonly form?: "oci" | "docker" | undefined;
}

/**
 * An image of random bytes, for tests and measurements. Its layers are made when they are read, however large, and are not compressed.
 * @throws DrayError `USAGE` for numbers that mean nothing
 * @example const image = await randomImage({ layers: 3, size: 1024 * 1024, seed: "a" });
 */
export const randomImage = async (options: RandomImageOptions = {}): Promise<Image> => {
  const { layers = 1, size = 1024, seed = randomBytes(16).toString("hex"), form } = options;
  refuseNumber("layers", layers, { from: 0 });
  refuseNumber("size", size, { from: 0 });
  const { platform = { os: "linux", architecture: "amd64" } } = options;
  return imageFrom({
    config: { ...platform, config: {} },
    layers: Array.from({ length: layers }, (_, i) => ({ content: randomTar(`${seed}/${i}`, size) })),
    form,
  });
};

/**
 * An index of random images, one for each platform.
 * @throws DrayError as `randomImage`
 * @example const index = await randomIndex([{ os: "linux", architecture: "amd64" }, { os: "linux", architecture: "arm64" }], { seed: "a" });
 */
export const randomIndex = async (
  platforms: readonly Platform[],
  options: Omit<RandomImageOptions, "platform"> = {},
): Promise<ImageIndex> => {
  const { seed = randomBytes(16).toString("hex"), form } = options;
  const contents = new Map<Digest, Content>();
  const manifests: Descriptor[] = [];
  for (const [i, platform] of platforms.entries()) {
    const image = await randomImage({ ...options, seed: `${seed}/${i}`, platform });
    const { config, layers } = await image.manifest();
    for (const each of [image.descriptor, config, ...layers])
      contents.set(each.digest, { open: (how) => image.store.read(each, how) });
    manifests.push({ ...image.descriptor, platform });
  }
  const store = overlay(heldContent(contents));
  const mediaType = form === "docker" ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const bytes = encodeJson({ schemaVersion: 2, mediaType, manifests });
  return (await viewOf(store, await put(store.top, bytes, { mediaType, kind: "manifest" }))) as ImageIndex;
};

/** A tar with one file of random bytes, made again each time it is opened. */
const randomTar = (seed: string, size: number): Content => ({
  open: ({ offset = 0 } = {}) => from(offset, tarChunks(seed, size)),
});

const blockSize = 64 * 1024;

function* tarChunks(seed: string, size: number): Generator<Uint8Array> {
  yield writeHeader({ name: "random", size });
  // A stream of a cipher is as good as chance, and the same everywhere.
  const cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(seed).digest(), Buffer.alloc(16));
  const zeros = Buffer.alloc(blockSize);
  for (let left = size; left > 0; left -= blockSize) yield cipher.update(zeros.subarray(0, Math.min(left, blockSize)));
  yield padding(size);
  yield endOfArchive();
}

async function* from(offset: number, chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = offset;
  for (const chunk of chunks) {
    if (left < chunk.byteLength) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}
