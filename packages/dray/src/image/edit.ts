import { forEachConcurrent, LazyMap } from "../async/index.ts";
import {
  bottomOf,
  bytesContent,
  editJson,
  type JsonChange,
  type JsonObject,
  keepsReferenced,
  type Overlay,
  overlay,
  type ReadableStore,
  type ReadOptions,
} from "../content/index.ts";
import { type DrayError, errorIn } from "../errors.ts";
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  digestOf,
  isIndexType,
  isManifestType,
  liesElsewhere,
  parseManifest,
  type WantedPlatform,
} from "../oci/index.ts";
import { aboutThese } from "./about-these.ts";
import { chosenImages } from "./chosen.ts";
import { type Image, type ImageIndex, viewOf } from "./views.ts";

/** Where in a view a document lies. */
export interface Place {
  /** Steps from the view itself, which has 0. */
  readonly depth: number;
}

/** What of an image becomes another. What is not named stays. */
export interface ImageChange {
  /** The configuration. */
  readonly config?: JsonChange | undefined;
  /** The layers instead of those there are, bottom first. Their content is where the view's store reads it, or will be. */
  readonly layers?: readonly Descriptor[] | undefined;
  /** Where layers lie that the view's store does not have. */
  readonly elsewhere?: ReadonlyMap<Digest, ReadableStore> | undefined;
  /** The manifest, after configuration and layers were put into it: its annotations, say, or its media type. */
  readonly manifest?: JsonChange | undefined;
  /** What an index says of the image, after the new digest was put into it: its platform, say. The view itself has no such entry. */
  readonly entry?: JsonChange | undefined;
}

/** What of a view becomes another. */
export interface Change {
  /** The change to an image: to the one in view, or to each below an index, asked once for each. `undefined`: it stays. */
  readonly image?:
    | ((image: Image, place: Place) => ImageChange | undefined | Promise<ImageChange | undefined>)
    | undefined;
  /** An index, after what changed below was put into it. Without it an index only follows its images. */
  readonly index?: ((document: JsonObject, place: Place) => JsonObject) | undefined;
  /** The entries of the index in view that stay, as it was; what an index further below names stays. Default: all. */
  readonly entries?:
    | ((view: ImageIndex, options: Pick<ReadOptions, "signal">) => Promise<ReadonlySet<Descriptor>>)
    | undefined;
  /** Why a view cannot be changed so: asked first, of the view itself. Default: it can. */
  readonly fault?: ((view: Image | ImageIndex) => DrayError | undefined) | undefined;
}

/** A view's content with something changed. */
export interface Edited {
  /** The view's store with the new documents laid over it. */
  readonly store: Overlay;
  /** What became of the view: the descriptor that it had, where nothing changed. */
  readonly root: Descriptor;
  /** Attestations of images that changed, and artifacts whose subject they are: they say something about what is there no more, so the index names them no longer. */
  readonly leftOut: readonly Descriptor[];
}

/** How is changed. */
export interface EditOptions extends Pick<ReadOptions, "signal"> {
  /**
   * The images below an index that are changed, as `os/architecture[/variant]`: for each the one that serves it best, and of `os` alone every one. The
   * index stays, with those and the others. Default: all. An image in view is changed whatever it is for.
   */
  readonly platforms?: readonly (string | WantedPlatform)[] | undefined;
}

/**
 * Changes an image, or images below an index, and what names them up to the root. Nothing is written anywhere: the new documents are in
 * memory, over the old content. Whatever says the same afterwards keeps its bytes and digest, and members that Dray does not know stay.
 * Media types of descriptors follow those that documents say of themselves.
 * @throws DrayError `MANIFEST_INVALID` also for what the change made of a manifest, `NOT_FOUND` for a platform that is not there, and what reading throws
 * @example
 * const { store, root } = await edit(await viewOf(source.store, found), {
 *   image: () => ({ manifest: (document) => ({ ...document, annotations: { "org.example.team": "a" } }) }),
 * });
 * await copy({ ...source, store, name: root.digest }, target);
 */
export const edit = async (view: Image | ImageIndex, change: Change, options: EditOptions = {}): Promise<Edited> => {
  const fault = change.fault?.(view);
  if (fault !== undefined) throw fault;
  const store = overlay(view.store);
  const { platforms = [], signal } = options;
  const chosen = platforms.length === 0 ? undefined : await chosenImages(view, platforms, { signal });
  const leftOut = new Map<Digest, Descriptor>();
  const { descriptor } = await edited({ store, change, chosen, signal, done: new LazyMap(), leftOut }, view, 0);
  return { store, root: descriptor, leftOut: [...leftOut.values()] };
};

/** Images of one index that are changed at the same time. */
const imagesAtOnce = 4;

interface Editing {
  readonly store: Overlay;
  readonly change: Change;
  /** The images that are changed. Default: all. */
  readonly chosen: ReadonlySet<Digest> | undefined;
  readonly signal: AbortSignal | undefined;
  /** What became of what was met on the way: an index may name the same a thousand times. */
  readonly done: LazyMap<Digest, Made>;
  readonly leftOut: Map<Digest, Descriptor>;
}

/** What became of a document, and of what an index says of it. */
interface Made {
  readonly descriptor: Descriptor;
  readonly entry?: JsonChange | undefined;
}

const edited = (editing: Editing, view: Image | ImageIndex, depth: number): Promise<Made> =>
  view.kind === "index" ? editedIndex(editing, view, depth) : editedImage(editing, view, depth);

const editedImage = async ({ store, change, chosen }: Editing, image: Image, depth: number): Promise<Made> => {
  const isMeant = depth === 0 || chosen?.has(image.descriptor.digest) !== false;
  const asked = isMeant ? await change.image?.(image, { depth }) : undefined;
  if (asked === undefined) return { descriptor: image.descriptor };
  const { config, layers, elsewhere = [], manifest = unchanged, entry } = asked;
  for (const [digest, holder] of elsewhere) store.elsewhere.set(digest, holder);
  const before = await image.manifest();
  // Whoever has the manifest has what it names, so nothing need be asked where that is the place where the result goes.
  if (keepsReferenced(bottomOf(image.store)))
    for (const layer of before.layers) if (!liesElsewhere(layer)) store.elsewhere.set(layer.digest, image.store);
  const replaced =
    config === undefined
      ? before.config
      : await replace(store, before.config, await image.configBytes(), "configuration", config);
  const descriptor = await replace(store, image.descriptor, await image.bytes(), "manifest", (document) =>
    manifest({
      ...document,
      ...(replaced === before.config ? {} : { config: renamed(document["config"] as JsonObject, replaced) }),
      ...listed(document, before.layers, layers ?? before.layers),
    }),
  );
  return { descriptor, entry };
};

const editedIndex = async (editing: Editing, view: ImageIndex, depth: number): Promise<Made> => {
  const { store, change, signal, done, leftOut } = editing;
  const { manifests } = await view.index();
  const children: Made[] = new Array(manifests.length);
  await forEachConcurrent(manifests.entries(), imagesAtOnce, async ([i, child]) => {
    children[i] = await done.get(child.digest, async () =>
      isIndexType(child.mediaType) || (isManifestType(child.mediaType) && change.image !== undefined)
        ? edited(editing, await viewOf(view.store, child, { signal }), depth + 1)
        : { descriptor: child },
    );
  });
  const gone = new Set(
    manifests.flatMap(({ digest }, i) => (children[i]?.descriptor.digest === digest ? [] : [digest])),
  );
  for (const child of await aboutThese(view, gone, { signal })) leftOut.set(child.digest, child);
  const { index = unchanged } = change;
  const staying = depth === 0 ? await change.entries?.(view, { signal }) : undefined;
  const descriptor = await replace(store, view.descriptor, await view.bytes(), "index", (document) => {
    const entries = (document["manifests"] ?? []) as readonly JsonObject[];
    const following = entries.flatMap((raw, i) => {
      const [child, made] = [manifests[i] as Descriptor, children[i] as Made];
      if (leftOut.has(child.digest) || staying?.has(child) === false) return [];
      const { entry = unchanged, descriptor } = made;
      return [entry(descriptor.digest === child.digest ? raw : renamed(raw, descriptor))];
    });
    const same = following.length === entries.length && following.every((entry, i) => entry === entries[i]);
    return index(same ? document : { ...document, manifests: following }, { depth });
  });
  return { descriptor };
};

const unchanged: JsonChange = (document) => document;

/** Layers as a member, if they changed. Entries that did not are as the document has them, `null` members and all. */
const listed = (document: JsonObject, before: readonly Descriptor[], after: readonly Descriptor[]): JsonObject => {
  if (after.length === before.length && after.every((descriptor, i) => descriptor === before[i])) return {};
  const at = new Map(before.map((descriptor, i) => [descriptor, i]));
  const entries = (document["layers"] ?? []) as readonly unknown[];
  return { layers: after.map((descriptor) => entries[at.get(descriptor) ?? -1] ?? descriptor) };
};

/** Puts a changed document there and gives its descriptor; the one it had, where nothing changed. */
const replace = async (
  { top }: Overlay,
  descriptor: Descriptor,
  bytes: Uint8Array,
  what: "configuration" | "manifest" | "index",
  change: JsonChange,
): Promise<Descriptor> => {
  let { mediaType } = descriptor;
  const changed = editJson(bytes, `${what} ${descriptor.digest}`, (document) => {
    const after = change(document);
    const said = after["mediaType"];
    if (what !== "configuration" && said !== document["mediaType"] && typeof said === "string") mediaType = said;
    return after;
  });
  if (changed === bytes) return descriptor;
  const kind = what === "configuration" ? "blob" : "manifest";
  if (kind === "manifest") refuseInvalid(changed, mediaType, `${what} ${descriptor.digest}`);
  const made = {
    ...(renamed(descriptor, descriptor) as unknown as Descriptor),
    mediaType,
    digest: digestOf(changed, algorithmOf(descriptor.digest)),
    size: changed.byteLength,
  };
  await top.write(made, bytesContent(changed), { kind });
  return made;
};

/** A change that makes something of a manifest that is none would be found out by whoever reads it next. */
const refuseInvalid = (bytes: Uint8Array, mediaType: string, what: string): void => {
  try {
    parseManifest(bytes, mediaType);
  } catch (error) {
    throw errorIn(`the change to the ${what} is not valid`, error);
  }
};

/** What a document says of something, when that is another. `data`, the content itself, was that of the old one. */
const renamed = (entry: object, { mediaType, digest, size }: Descriptor): JsonObject => {
  const members = Object.entries(entry).filter(([member]) => member !== "data");
  const before = Object.fromEntries(members) as JsonObject;
  const typed = (before["mediaType"] ?? "") === mediaType ? before : { ...before, mediaType };
  return { ...typed, digest, size };
};
