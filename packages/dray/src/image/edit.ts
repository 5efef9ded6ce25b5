import { forEachConcurrent, LazyMap } from "../async/index.ts";
import {
  bytesContent,
  editJson,
  isManifest,
  type JsonChange,
  type JsonObject,
  type Overlay,
  overlay,
  type ReadableStore,
  type ReadOptions,
} from "../content/index.ts";
import { algorithmOf, type Descriptor, type Digest, digestOf } from "../oci/index.ts";
import { type Image, type ImageIndex, viewOf } from "./views.ts";

/** What of an image becomes another. What is not named stays. */
export interface ImageChange {
  /** The configuration. */
  readonly config?: JsonChange;
  /** The layers instead of those there are, bottom first. Their content is where the view's store reads it, or will be. */
  readonly layers?: readonly Descriptor[];
  /** Where layers lie that the view's store does not have. */
  readonly elsewhere?: ReadonlyMap<Digest, ReadableStore>;
  /** The manifest, after configuration and layers were put into it: its annotations, say. */
  readonly manifest?: JsonChange;
}

/** What of a view becomes another. */
export interface Change {
  /** The change to an image: to the one in view, or to each below an index, asked once for each. `undefined`: it stays. */
  readonly image?: (image: Image) => ImageChange | undefined | Promise<ImageChange | undefined>;
  /** An index, after what changed below was put into it. Without it an index only follows its images. */
  readonly index?: JsonChange;
}

/** A view's content with something changed. */
export interface Edited {
  /** The view's store with the new documents laid over it. */
  readonly store: Overlay;
  /** What became of the view: the descriptor that it had, where nothing changed. */
  readonly root: Descriptor;
}

/**
 * Changes an image, or images below an index, and what names them up to the root. Nothing is written anywhere: the new documents are in
 * memory, over the old content. Whatever says the same afterwards keeps its bytes and digest, and members that Dray does not know stay.
 * @throws DrayError `MANIFEST_INVALID`, and what reading throws
 * @example
 * const { store, root } = await edit(await viewOf(source.store, found), {
 *   image: () => ({ manifest: (document) => ({ ...document, annotations: { "org.example.team": "a" } }) }),
 * });
 * await copy({ ...source, store, name: root.digest }, target);
 */
export const edit = async (
  view: Image | ImageIndex,
  change: Change,
  options: Pick<ReadOptions, "signal"> = {},
): Promise<Edited> => {
  const store = overlay(view.store);
  return { store, root: await edited({ store, change, options, done: new LazyMap() }, view) };
};

/** Images of one index that are changed at the same time. */
const imagesAtOnce = 4;

interface Editing {
  readonly store: Overlay;
  readonly change: Change;
  readonly options: Pick<ReadOptions, "signal">;
  /** What became of what was met on the way: an index may name the same a thousand times. */
  readonly done: LazyMap<Digest, Descriptor>;
}

const edited = (editing: Editing, view: Image | ImageIndex): Promise<Descriptor> =>
  view.kind === "index" ? editedIndex(editing, view) : editedImage(editing, view);

const editedImage = async ({ store, change }: Editing, image: Image): Promise<Descriptor> => {
  const asked = await change.image?.(image);
  if (asked === undefined) return image.descriptor;
  const { config, layers, elsewhere = [], manifest = unchanged } = asked;
  for (const [digest, holder] of elsewhere) store.elsewhere.set(digest, holder);
  const before = await image.manifest();
  const replaced =
    config === undefined
      ? before.config
      : await replace(store, before.config, await image.configBytes(), "configuration", config);
  return replace(store, image.descriptor, await image.bytes(), "manifest", (document) =>
    manifest({
      ...document,
      ...(replaced === before.config ? {} : { config: replaced }),
      ...listed(document, "layers", before.layers, layers ?? before.layers),
    }),
  );
};

const editedIndex = async (editing: Editing, view: ImageIndex): Promise<Descriptor> => {
  const { store, change, options, done } = editing;
  const { manifests } = await view.index();
  const children: Descriptor[] = new Array(manifests.length);
  await forEachConcurrent(manifests.entries(), imagesAtOnce, async ([i, child]) => {
    const made = await done.get(child.digest, async () =>
      isManifest(child) ? edited(editing, await viewOf(view.store, child, options)) : child,
    );
    children[i] = made.digest === child.digest ? child : named(child, made);
  });
  const { index = unchanged } = change;
  return replace(store, view.descriptor, await view.bytes(), "index", (document) =>
    index({ ...document, ...listed(document, "manifests", manifests, children) }),
  );
};

const unchanged: JsonChange = (document) => document;

/** A list of descriptors as a member, if it changed. Entries that did not are as the document has them, `null` members and all. */
const listed = (
  document: JsonObject,
  member: "layers" | "manifests",
  before: readonly Descriptor[],
  after: readonly Descriptor[],
): JsonObject => {
  if (after.length === before.length && after.every((descriptor, i) => descriptor === before[i])) return {};
  const at = new Map(before.map((descriptor, i) => [descriptor, i]));
  const entries = document[member] as readonly unknown[];
  return { [member]: after.map((descriptor) => entries[at.get(descriptor) ?? -1] ?? descriptor) };
};

/** Puts a changed document there and gives its descriptor; the one it had, where nothing changed. */
const replace = async (
  { top }: Overlay,
  descriptor: Descriptor,
  bytes: Uint8Array,
  what: string,
  change: JsonChange,
): Promise<Descriptor> => {
  const changed = editJson(bytes, `${what} ${descriptor.digest}`, change);
  if (changed === bytes) return descriptor;
  const made = named(descriptor, {
    digest: digestOf(changed, algorithmOf(descriptor.digest)),
    size: changed.byteLength,
  });
  await top.write(made, bytesContent(changed));
  return made;
};

/** The descriptor of something else in the same place. `data`, the content itself, was that of the old one. */
const named = (descriptor: Descriptor, { digest, size }: Pick<Descriptor, "digest" | "size">): Descriptor => {
  const members = Object.entries(descriptor).filter(([member]) => member !== "data");
  return { ...(Object.fromEntries(members) as Descriptor), digest, size };
};
