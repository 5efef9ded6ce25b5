import { DrayError } from "../errors.ts";
import {
  annotationKeys,
  type Descriptor,
  formatPlatform,
  type Index,
  isIndexType,
  matchPlatform,
  normalizePlatform,
  platformCovers,
  type WantedPlatform,
  wantedPlatform,
} from "../oci/index.ts";
import { bytesContent } from "./bytes.ts";
import { editJson } from "./edit-json.ts";
import { type LoadedManifest, loadManifest } from "./manifest.ts";
import { overlay } from "./overlay.ts";
import type { ReadableStore, ReadOptions } from "./store.ts";

/** What is left of a graph after some platforms were asked for. */
export interface Selection {
  /** Where to read it: the store itself, or an overlay that holds a trimmed index. */
  readonly store: ReadableStore;
  readonly root: Descriptor;
  /** Whether `root` is a new index, which the source does not have. */
  readonly trimmed: boolean;
  /** The root, where it was read on the way. */
  readonly loaded?: LoadedManifest;
}

/**
 * Narrows an index to the platforms asked for. One platform selects the child itself. Several make a valid index of the
 * matching entries, with their attestations and the digest of the index it was made from. What is no index is left as it is.
 * @throws DrayError `NOT_FOUND` naming the platform and those there are, `PLATFORM_INVALID`, `USAGE`
 */
export const selectPlatforms = async (
  store: ReadableStore,
  root: Descriptor,
  platforms: readonly (string | WantedPlatform)[],
  options?: Pick<ReadOptions, "signal" | "onEvent">,
): Promise<Selection> => {
  const wanted = platforms.map(wantedPlatform);
  if (wanted.length === 0 || !isIndexType(root.mediaType)) return { store, root, trimmed: false };
  const loaded = await loadManifest(store, root, options);
  const { parsed, bytes } = loaded;
  if (parsed.kind !== "index") return { store, root, trimmed: false, loaded };
  const [first] = wanted;
  if (wanted.length === 1 && first?.architecture !== undefined) {
    const child = childFor(parsed.index, first, root);
    // A child may be an index itself.
    return selectPlatforms(store, child, wanted, options);
  }
  const kept = keptEntries(parsed.index, wanted, root);
  if (kept.size === parsed.index.manifests.length) return { store, root, trimmed: false, loaded };
  const over = overlay(store);
  const trimmed = await over.top.ingest(bytesContent(trimIndex(bytes, kept, root)), { mediaType: root.mediaType });
  return { store: over, root: trimmed, trimmed: true };
};

/**
 * Narrows an index to one image. Where no architecture is said there may be only one that is meant.
 * @throws DrayError `NOT_FOUND`, `USAGE` naming those that it may be
 */
export const selectOne = async (
  store: ReadableStore,
  root: Descriptor,
  platform: string | WantedPlatform,
  options?: Pick<ReadOptions, "signal" | "onEvent">,
): Promise<Selection> => {
  const wanted = wantedPlatform(platform);
  if (wanted.architecture !== undefined || !isIndexType(root.mediaType))
    return selectPlatforms(store, root, [wanted], options);
  const loaded = await loadManifest(store, root, options);
  const { parsed } = loaded;
  if (parsed.kind !== "index") return { store, root, trimmed: false, loaded };
  return selectOne(store, childFor(parsed.index, wanted, root), wanted, options);
};

/**
 * The entry of an index for a platform: the one that fits best. Where no architecture is said it has to be the only one.
 * @throws DrayError `NOT_FOUND` naming what there is, `USAGE` naming those that it may be
 */
export const childFor = (index: Index, wanted: WantedPlatform, root: Descriptor): Descriptor => {
  const found = matchPlatform(wanted, index.manifests);
  if (found !== undefined && wanted.architecture === undefined) {
    const fitting = index.manifests.flatMap(({ platform }) =>
      platform !== undefined && platformCovers(wanted, platform) ? [formatPlatform(normalizePlatform(platform))] : [],
    );
    const candidates = [...new Set(fitting)];
    if (candidates.length > 1)
      throw new DrayError(
        "USAGE",
        `${root.digest} has several images for ${formatPlatform(wanted)}: ${candidates.join(", ")}; name one of them`,
        { reference: root.digest },
      );
  }
  if (found !== undefined) return found;
  const there = index.manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === "unknown" ? [] : [formatPlatform(platform)],
  );
  throw new DrayError(
    "NOT_FOUND",
    `${root.digest} has no image for ${formatPlatform(wanted)}; it has ${there.join(", ") || "no platforms"}`,
    { reference: root.digest },
  );
};

const keptEntries = (index: Index, wanted: readonly WantedPlatform[], root: Descriptor): ReadonlySet<number> => {
  const images = new Set<Descriptor>();
  for (const platform of wanted) {
    const covered =
      platform.architecture === undefined
        ? index.manifests.filter((entry) => entry.platform !== undefined && platformCovers(platform, entry.platform))
        : [];
    for (const entry of covered.length > 0 ? covered : [childFor(index, platform, root)]) images.add(entry);
  }
  const digests = new Set([...images].map((entry) => entry.digest as string));
  const kept = new Set<number>();
  for (const [i, entry] of index.manifests.entries()) {
    const about = entry.annotations?.[annotationKeys.attestationDigest];
    if (images.has(entry) || (about !== undefined && digests.has(about))) kept.add(i);
  }
  return kept;
};

/** The same document with fewer entries. */
const trimIndex = (bytes: Uint8Array, kept: ReadonlySet<number>, root: Descriptor): Uint8Array =>
  editJson(bytes, "index", (document) => ({
    ...document,
    manifests: (document["manifests"] as unknown[]).filter((_, i) => kept.has(i)),
    annotations: { ...(document["annotations"] as object | undefined), [annotationKeys.sourceDigest]: root.digest },
  }));
