/** Images whose layers are written down, a line for each entry. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { memoryStore, put, putManifest } from "../src/content/index.ts";
import { type Image, viewOf } from "../src/image/index.ts";
import { digestOf, encodeJson, type Manifest, mediaTypes } from "../src/oci/index.ts";
import { type Given, tarOf } from "./tar-of.ts";

/** An entry: `dir/`, `file=content`, `hard=>target`, `soft->target`, or one in full. */
export type Line = string | Given;

const entryOf = (line: Line): Given => {
  if (typeof line !== "string") return line;
  const [, name = "", how, rest = ""] = /^(.*?)(=>|->|=)(.*)$/s.exec(line) ?? [];
  if (how === "=>") return { name, type: "hardlink", linkName: rest };
  if (how === "->") return { name, type: "symlink", linkName: rest };
  if (how === "=") return { name, body: rest };
  return line.endsWith("/") ? { name: line, type: "directory", mode: 0o755 } : { name: line };
};

/** The tar of a layer. */
export const layerTar = (lines: readonly Line[]): Uint8Array => tarOf(lines.map(entryOf));

/** An image of these tars, bottom first, compressed. */
export const imageOfTars = async (
  tars: readonly Uint8Array[],
  {
    diffIDs = tars.map((tar) => digestOf(tar)),
    packed = tars.map((tar) => gzipSync(tar)),
  }: { readonly diffIDs?: readonly string[]; readonly packed?: readonly Uint8Array[] } = {},
): Promise<Image> => {
  const store = memoryStore();
  const config = await put(
    store,
    encodeJson({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIDs } }),
    { mediaType: mediaTypes.ociConfig },
  );
  const layers = [];
  for (const bytes of packed) layers.push(await put(store, bytes, { mediaType: mediaTypes.ociLayerGzip }));
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  const view = await viewOf(store, await putManifest(store, manifest));
  assert.ok(view.kind === "image");
  return view;
};

/** An image of these layers, bottom first. */
export const imageOf = (...layers: readonly (readonly Line[])[]): Promise<Image> => imageOfTars(layers.map(layerTar));
