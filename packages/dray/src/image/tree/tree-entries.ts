import type { ReadOptions } from "../../content/index.ts";
import { throwIfAborted } from "../../errors.ts";
import type { StreamedEntry } from "../../tar/index.ts";
import type { Image, Layer } from "../views.ts";
import type { LinkFacts, Output } from "./hard-links.ts";
import { entriesOf, type LayerReading } from "./layer-content.ts";
import { type LateLinks, MergedTree } from "./merged-tree.ts";
import type { Node } from "./path-table.ts";

/** How the layers of a tree are read. */
export type TreeOptions = Pick<ReadOptions, "signal" | "onEvent">;

/** Something at a path of the merged tree. */
export interface TreeEntry extends Omit<StreamedEntry, "name" | "start" | "offset"> {
  /** From the root, without slashes around: `usr/bin/env`. The root itself is `.`. */
  readonly path: string;
  /** Of a hard link the path of an entry that came before; of a symbolic link what it says. */
  readonly linkName: string;
}

/**
 * The tree that an image's layers make together, entry after entry, as a container of it would see it. Layers are read from the top down, each
 * once and to its end, so that its digests are checked; one is read again only where a hard link leads to a file that a layer above has changed
 * or removed. A directory may come after what lies in it, and one that no layer has an entry for does not come. A body can be read once, before the
 * next entry is asked for. Where one layer has a path several times, all of them come, and the last is the one that counts.
 * @throws DrayError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `MANIFEST_INVALID` for damaged compression, `DIGEST_MISMATCH`, and what reading throws
 * @example for await (const { path, type, size } of treeEntries(image)) console.log(path, type, size);
 */
export const treeEntries = (image: Image, options: TreeOptions = {}): AsyncGenerator<TreeEntry> =>
  entriesOfTree(image, { ...options, lends: false });

/** As `treeEntries`, but that memory of a body's chunk is given back as soon as the next one is asked for: nobody may keep it. */
export const lentEntries = (image: Image, options: LentOptions = {}): AsyncGenerator<TreeEntry> =>
  entriesOfTree(image, { ...options, lends: true });

/** How entries are lent. */
export interface LentOptions extends TreeOptions {
  /** How many times its compressed size a layer may become, beyond 64 MiB. Default: no limit. */
  readonly ratio?: number | undefined;
}

async function* entriesOfTree(image: Image, reading: LayerReading): AsyncGenerator<TreeEntry> {
  const [tree, layers] = [new MergedTree(), await image.layers()];
  yield* mergedEntries(layers, tree, reading);
  yield* lateEntries(layers, tree, tree.finish(), reading);
}

/** The entries of layers, bottom first, as they come to be seen in a tree that knows nothing yet. */
export async function* mergedEntries(
  layers: readonly Layer[],
  tree: MergedTree,
  reading: LayerReading,
): AsyncGenerator<TreeEntry> {
  const tells = reading.lends;
  const bytes = layers.reduce((sum, { descriptor: { size } }) => sum + size, 0);
  if (tells && layers.length > 0) reading.onEvent?.({ type: "plan", blobs: layers.length, bytes });
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] as Layer;
    tree.begin(i + 1, `layer ${layer.descriptor.digest}`);
    for await (const entry of entriesOf(layer, { ...reading, tells })) {
      throwIfAborted(reading.signal);
      for (const output of tree.take(entry)) yield written(tree, entry, output);
    }
    const again = tree.end();
    if (again.size > 0) yield* entriesAgain(layer, tree, (place) => again.get(place) ?? [], reading);
  }
}

/** What comes when all layers have been read. */
async function* lateEntries(
  layers: readonly Layer[],
  tree: MergedTree,
  { links, again }: LateLinks,
  reading: LayerReading,
): AsyncGenerator<TreeEntry> {
  for (const { facts, ...output } of links) yield linkEntry(tree, output, facts);
  for (const [layer, places] of again)
    yield* entriesAgain(layers[layer - 1] as Layer, tree, (place) => tree.outputs(places.get(place) ?? []), reading);
}

/** What of a layer has to be read once more. */
async function* entriesAgain(
  layer: Layer,
  tree: MergedTree,
  outputsAt: (place: number) => readonly Output[],
  { onEvent: _untold, ...reading }: LayerReading,
): AsyncGenerator<TreeEntry> {
  let place = 0;
  for await (const entry of entriesOf(layer, reading))
    for (const output of outputsAt(place++)) yield written(tree, entry, output);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** A hard link as it is written. */
export const linkEntry = (
  tree: MergedTree,
  { path, linkTo }: Output & { readonly linkTo: Node },
  { mode, uid, gid, uname, gname, mtime, pax }: LinkFacts,
): TreeEntry => ({
  path,
  mode,
  uid,
  gid,
  uname,
  gname,
  mtime,
  pax,
  type: "hardlink",
  linkName: tree.paths.path(linkTo),
  size: 0,
  stored: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  body: nothing(),
  data: nothing(),
});

const written = (tree: MergedTree, entry: StreamedEntry, { node, path, linkTo }: Output): TreeEntry => {
  if (linkTo !== undefined) return linkEntry(tree, { node, path, linkTo }, entry);
  const { mode, uid, gid, uname, gname, mtime, deviceMajor, deviceMinor, pax } = entry;
  const facts = { path, mode, uid, gid, uname, gname, mtime, deviceMajor, deviceMinor, pax };
  const { type, linkName, size, stored, extents, body, data } = entry;
  return { ...facts, type, linkName, size, stored, extents, body, data };
};
