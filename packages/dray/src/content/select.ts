import { forEachConcurrent } from "../async/index.ts";
import { defined } from "../defined.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import {
  annotationKeys,
  type Descriptor,
  formatPlatform,
  type Index,
  isConfigType,
  isIndexType,
  isManifestType,
  largestManifest,
  matchPlatform,
  normalizePlatform,
  type Platform,
  parseJson,
  platformCovers,
  type WantedPlatform,
  wantedPlatform,
} from "../oci/index.ts";
import { bytesContent, collect } from "./bytes.ts";
import { editJson } from "./edit-json.ts";
import { withArtifacts } from "./kept-artifacts.ts";
import { type LoadedManifest, loadManifest } from "./manifest.ts";
import { overlay } from "./overlay.ts";
import type { ReadableStore, ReadOptions } from "./store.ts";

/** How an index is narrowed. */
export interface SelectOptions extends Pick<ReadOptions, "signal" | "onEvent"> {
  /** What errors call the index. Default: its digest. */
  readonly called?: string | undefined;
}

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
 * matching entries, with their attestations, the artifacts in it whose subject they are, and the digest of the index it was made from. What is no index is left as it is.
 * @throws DrayError `NOT_FOUND` naming the platform and those there are, `PLATFORM_INVALID`, `USAGE`
 */
export const selectPlatforms = async (
  store: ReadableStore,
  root: Descriptor,
  platforms: readonly (string | WantedPlatform)[],
  options?: SelectOptions,
): Promise<Selection> => {
  const wanted = platforms.map(wantedPlatform);
  if (wanted.length === 0 || !isIndexType(root.mediaType)) return { store, root, trimmed: false };
  const loaded = await loadManifest(store, root, options);
  const { parsed, bytes } = loaded;
  if (parsed.kind !== "index") return { store, root, trimmed: false, loaded };
  const [first] = wanted;
  if (wanted.length === 1 && first?.architecture !== undefined) {
    const child = await fittingChild(store, parsed.index, first, root, options);
    // A child may be an index itself.
    return selectPlatforms(store, child, wanted, options);
  }
  const unfit = wanted.some((platform) => parsed.index.manifests.every((entry) => !fits(platform, entry)));
  const said = parsed.index.manifests.map((entry) => [entry]);
  const meant = keptEntries(
    unfit ? await described(store, parsed.index, options) : said,
    wanted,
    options?.called ?? root.digest,
  );
  const kept = await withArtifacts(store, parsed.index, meant, options);
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
  options?: SelectOptions,
): Promise<Selection> => {
  const wanted = wantedPlatform(platform);
  if (wanted.architecture !== undefined || !isIndexType(root.mediaType))
    return selectPlatforms(store, root, [wanted], options);
  const loaded = await loadManifest(store, root, options);
  const { parsed } = loaded;
  if (parsed.kind !== "index") return { store, root, trimmed: false, loaded };
  return selectOne(store, await fittingChild(store, parsed.index, wanted, root, options), wanted, options);
};

/**
 * The entry of an index for a platform: the one that fits best. Where no architecture is said it has to be the only one.
 * @throws DrayError `NOT_FOUND` naming what there is, `USAGE` naming those that it may be
 */
const childFor = (manifests: readonly Descriptor[], wanted: WantedPlatform, called: string): Descriptor => {
  const found = matchPlatform(wanted, manifests);
  if (found !== undefined && wanted.architecture === undefined) {
    const fitting = manifests.flatMap(({ platform }) =>
      platform !== undefined && platformCovers(wanted, platform) ? [formatPlatform(normalizePlatform(platform))] : [],
    );
    const candidates = [...new Set(fitting)];
    if (candidates.length > 1)
      throw new DrayError(
        "USAGE",
        `${called} has several images for ${formatPlatform(wanted)}: ${candidates.join(", ")}`,
        { reference: called, remedy: "choose-platform" },
      );
  }
  if (found !== undefined) return found;
  const there = manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === "unknown" ? [] : [formatPlatform(platform)],
  );
  throw new DrayError(
    "NOT_FOUND",
    `${called} has no image for ${formatPlatform(wanted)}; it has ${[...new Set(there)].join(", ") || "no platforms"}`,
    { reference: called, ...(there.length === 0 ? {} : { remedy: "choose-platform" as const }) },
  );
};

/**
 * The same where some entries do not say their platform, which the specification leaves to them: where none that does fits, the images' own
 * configurations are asked, and the indexes among them. One image alone serves whoever asks, unless it says what it is for.
 * @throws DrayError as `childFor`
 */
export const fittingChild = async (
  store: ReadableStore,
  index: Index,
  wanted: WantedPlatform,
  root: Descriptor,
  options?: SelectOptions,
): Promise<Descriptor> => {
  if (index.manifests.some((entry) => fits(wanted, entry)) || !index.manifests.some(mayBeImage))
    return childFor(index.manifests, wanted, options?.called ?? root.digest);
  const images = (await described(store, index, options)).flat();
  const [only, ...others] = images.filter(({ mediaType }) => isManifestType(mediaType));
  if (only !== undefined && others.length === 0 && only.platform === undefined && mayBeImage(only)) return only;
  return bareOf(index, childFor(images, wanted, options?.called ?? root.digest));
};

const fits = (wanted: WantedPlatform, { platform }: Descriptor): boolean =>
  platform !== undefined && (platformCovers(wanted, platform) || matchPlatform(wanted, [{ platform }]) !== undefined);

/** Whether an entry that says no platform may be an image, or an index of them: neither an attestation nor another artifact. */
const mayBeImage = ({ platform, mediaType, artifactType, annotations }: Descriptor): boolean =>
  platform === undefined &&
  (isManifestType(mediaType) || isIndexType(mediaType)) &&
  artifactType === undefined &&
  annotations?.[annotationKeys.attestationType] === undefined;

/** Configurations that are read at the same time: an index may name tens of thousands of images. */
const readAtOnce = 16;

/** How deep indexes are looked into. A copy goes no further either. */
const deepest = 16;

/**
 * Each entry with the platform that the configuration of its image says; one that is an index with nothing said of it stands once for each
 * platform in it.
 */
const described = async (
  store: ReadableStore,
  index: Index,
  options?: SelectOptions,
  seen = new Set<string>(),
  depth = 0,
): Promise<readonly (readonly Descriptor[])[]> => {
  const found: (readonly Descriptor[])[] = index.manifests.map((entry) => [entry]);
  await forEachConcurrent(index.manifests.keys(), readAtOnce, async (at) => {
    const entry = index.manifests[at] as Descriptor;
    if (!mayBeImage(entry)) return;
    const platforms = await platformsInside(store, entry, options, seen, depth);
    if (platforms.length > 0) found[at] = platforms.map((platform) => ({ ...entry, platform }));
  });
  return found;
};

const platformsInside = async (
  store: ReadableStore,
  entry: Descriptor,
  options: SelectOptions | undefined,
  seen: Set<string>,
  depth: number,
): Promise<readonly Platform[]> => {
  try {
    // A few small indexes can name each other often enough for all time there is.
    if (isIndexType(entry.mediaType) && (depth >= deepest || seen.size === seen.add(entry.digest).size)) return [];
    const { parsed } = await loadManifest(store, entry, options);
    if (parsed.kind === "index") {
      const below = (await described(store, parsed.index, options, seen, depth + 1)).flat();
      return below.flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
    }
    if (parsed.kind !== "manifest" || !isConfigType(parsed.manifest.config.mediaType)) return [];
    const { config } = parsed.manifest;
    const bytes = await collect(store.read(config, { ...options, kind: "blob" }), largestManifest, config.digest);
    const { os, architecture, variant } = parseJson(bytes, config.digest) as Record<string, unknown>;
    if (typeof os !== "string" || typeof architecture !== "string") return [];
    return [defined<Platform>({ os, architecture, variant: typeof variant === "string" ? variant : undefined })];
  } catch (error) {
    throwIfAborted(options?.signal);
    // What fails for another reason than its own says nothing of it.
    if (isDrayError(error, "DISK", "NETWORK", "TIMEOUT", "RATE_LIMITED")) throw error;
    // One that cannot be read is none that fits.
    if (isDrayError(error)) return [];
    throw error;
  }
};

/** The entry as the index has it. */
const bareOf = (index: Index, { digest }: Descriptor): Descriptor =>
  index.manifests.find((entry) => entry.digest === digest) as Descriptor;

/** Positions of the entries that are kept. */
const keptEntries = (
  index: readonly (readonly Descriptor[])[],
  wanted: readonly WantedPlatform[],
  called: string,
): ReadonlySet<number> => {
  const manifests = index.flat();
  const images = new Set<Descriptor>();
  for (const platform of wanted) {
    const covered =
      platform.architecture === undefined
        ? manifests.filter((entry) => entry.platform !== undefined && platformCovers(platform, entry.platform))
        : [];
    for (const entry of covered.length > 0 ? covered : [childFor(manifests, platform, called)]) images.add(entry);
  }
  const digests = new Set([...images].map((entry) => entry.digest as string));
  const kept = new Set<number>();
  for (const [i, entries] of index.entries()) {
    const isAbout = (entry: Descriptor): boolean => {
      const about = entry.annotations?.[annotationKeys.attestationDigest];
      return about !== undefined && digests.has(about);
    };
    if (entries.some((entry) => images.has(entry) || isAbout(entry))) kept.add(i);
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
