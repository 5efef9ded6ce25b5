import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { type MemoryStore, memoryStore, put, putManifest } from "../src/content/index.ts";
import { type Image, viewOf } from "../src/image/index.ts";
import { digestOf, encodeJson, type Manifest, mediaTypes } from "../src/oci/index.ts";
import { type Given, tarOf } from "./tar-of.ts";

/** An image of these layers, bottom first, in memory. */
export const imageOf = async (...layers: readonly (readonly Given[])[]): Promise<Image> =>
  imageOfTars(layers.map(tarOf));

/** An image whose layers are these tars, bottom first. */
export const imageOfTars = async (
  tars: readonly Uint8Array[],
  { config: given = {}, annotations, store = memoryStore(), compress = gzipSync }: ImageFacts = {},
): Promise<Image> => {
  const config = await put(
    store,
    encodeJson({ ...given, rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) } }),
    { mediaType: mediaTypes.ociConfig },
  );
  const descriptors = [];
  for (const tar of tars) descriptors.push(await put(store, compress(tar), { mediaType: mediaTypes.ociLayerGzip }));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: descriptors,
    ...(annotations === undefined ? {} : { annotations }),
  };
  const view = await viewOf(store, await putManifest(store, manifest));
  assert.ok(view.kind === "image");
  return view;
};

/** What else an image has. */
export interface ImageFacts {
  readonly config?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly store?: MemoryStore;
  /** How its layers are compressed. Default: gzip. */
  readonly compress?: (tar: Uint8Array) => Uint8Array;
}
