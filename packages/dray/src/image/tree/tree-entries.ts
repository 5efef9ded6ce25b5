import { decompressed } from "../../compression/index.ts";
import { borrowed, detach, isTransferring, type ReadOptions, verified } from "../../content/index.ts";
import { DrayError, isDrayError, restated, throwIfAborted } from "../../errors.ts";
import { readEntries, type StreamedEntry } from "../../tar/index.ts";
import { refuseEncrypted } from "../readable-layer.ts";
import type { Image, Layer } from "../views.ts";
import { type Output, outputsOf } from "./hard-links.ts";
import { MergedTree } from "./merged-tree.ts";
import { told } from "./told.ts";

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
  entriesOfTree(image, { ...options, lends: false, owns: false });

/** As `treeEntries`, but that memory of a body's chunk is given back as soon as the next one is asked for: nobody may keep it. */
export const lentEntries = (image: Image, options: LentOptions = {}): AsyncGenerator<TreeEntry> =>
  entriesOfTree(image, { ...options, lends: true, owns: isTransferring(image.store) });

/** How entries are lent. */
export interface LentOptions extends TreeOptions {
  /** How many times its compressed size a layer may become, beyond 64 MiB. Default: no limit. */
  readonly ratio?: number | undefined;
}

const neverTooMuch = 64 * 1024 * 1024;

interface Reading extends LentOptions {
  readonly lends: boolean;
  /** Whether the chunks of the store are its reader's alone. */
  readonly owns: boolean;
  /** Whether it is told how far each layer is. Not where one is read again. */
  readonly tells?: boolean;
}

async function* entriesOfTree(image: Image, options: Reading): AsyncGenerator<TreeEntry> {
  const tree = new MergedTree();
  yield* mergedEntries(await image.layers(), tree, options);
  tree.finish();
}

/** The entries of layers, bottom first, as they come to be seen in a tree that knows nothing yet. */
export async function* mergedEntries(
  layers: readonly Layer[],
  tree: MergedTree,
  options: Reading,
): AsyncGenerator<TreeEntry> {
  const tells = options.lends;
  const bytes = layers.reduce((sum, { descriptor: { size } }) => sum + size, 0);
  if (tells && layers.length > 0) options.onEvent?.({ type: "plan", blobs: layers.length, bytes });
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] as Layer;
    tree.begin(i + 1, `layer ${layer.descriptor.digest}`);
    for await (const entry of entriesOf(layer, { ...options, tells })) {
      throwIfAborted(options.signal);
      for (const output of tree.take(entry)) yield written(entry, output);
    }
    const again = tree.end();
    if (again.size === 0) continue;
    let place = 0;
    for await (const entry of entriesOf(layer, options)) {
      const wanted = again.get(place++);
      if (wanted !== undefined) for (const output of outputsOf(wanted)) yield written(entry, output);
    }
  }
}

const entriesOf = (layer: Layer, options: Reading): AsyncGenerator<StreamedEntry> =>
  readEntries(contentOf(layer, options), { what: `layer ${layer.descriptor.digest}` });

/** A layer's tar, which has to be what the configuration says it is. */
async function* contentOf(
  layer: Layer,
  { lends, owns, ratio, tells, ...options }: Reading,
): AsyncGenerator<Uint8Array> {
  const { diffID: digest, descriptor } = layer;
  const { onEvent } = options;
  refuseEncrypted(descriptor);
  const stored = tells && onEvent ? told(layer.compressed(options), descriptor, onEvent) : layer.compressed(options);
  // What a store gives may be kept by somebody else, unless it says that it is not.
  const chunks = lends
    ? decompressed(owns ? stored : borrowed(stored), { release: detach })
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

async function* nothing(): AsyncGenerator<Uint8Array> {}

const written = (entry: StreamedEntry, { path, linkTo }: Output): TreeEntry => {
  const { mode, uid, gid, uname, gname, mtime, deviceMajor, deviceMinor, pax } = entry;
  const facts = { path, mode, uid, gid, uname, gname, mtime, deviceMajor, deviceMinor, pax };
  if (linkTo !== undefined)
    return { ...facts, type: "hardlink", linkName: linkTo, size: 0, stored: 0, body: nothing(), data: nothing() };
  const { type, linkName, size, stored, extents, body, data } = entry;
  return { ...facts, type, linkName, size, stored, extents, body, data };
};
