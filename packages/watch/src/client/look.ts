import { type Cancel, fittingChild } from "dray/content";
import { isDrayError, throwIfAborted } from "dray/errors";
import { defined } from "dray/internal/defined";
import {
  annotationKeys,
  annotationsOf,
  artifactTypeOf,
  asManifest,
  type Descriptor,
  type Digest,
  formatPlatform,
  type Index,
  isConfigType,
  isIndexType,
  isManifestLike,
  isManifestType,
  isObject,
  type Manifest,
  matchPlatform,
  type ParsedManifest,
  type Platform,
  parseJson,
  parsePlatform,
  platformCovers,
  type WantedPlatform,
} from "dray/oci";
import type { Repository as Store } from "dray/registry";
import type { Excluded, ExcludedReason, ImageEntry, ImageInfo, ImagePlatform } from "../entry/index.ts";
import type { ConfigurationReader } from "./configurations.ts";
import { schema1Facts } from "./schema1.ts";

/** How an image is looked into. */
export interface LookOptions extends Cancel {
  /** The image by its canonical name and tag. */
  readonly id: string;
  /** What to look at: a tag, or a digest that it is known to name. */
  readonly name: string;
  /** Of what an image may be for, the first that there is decides which image of an index is looked into. None: the first image. */
  readonly platforms: readonly WantedPlatform[];
  readonly configurations: ConfigurationReader;
  /** RFC 3339. */
  readonly now: string;
}

/** How deep indexes are looked into. */
const deepest = 4;

/** A reason to leave an image out, on its way up. */
class Unusable extends Error {
  readonly reason: ExcludedReason;

  constructor(reason: ExcludedReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Looks into what a tag or digest names: one request for the manifest, one for the image of an index, one for a configuration that nobody has read.
 * @throws DrayError `NOT_FOUND` where there is nothing of this name, and whatever leaves a request without an answer
 */
export const lookInto = async (store: Store, options: LookOptions): Promise<ImageEntry> => {
  const { id, now, signal } = options;
  let digest: Digest | undefined;
  try {
    const root = await readAny(store, options.name, signal);
    digest = root.saysErrors ? undefined : root.descriptor.digest;
    const about = await infoOf(store, root, options, 0);
    return { info: defined<ImageInfo>({ ...about, id, digest: root.descriptor.digest, lastFetched: now }) };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    const { reason, message } = error;
    return { excluded: defined<Excluded>({ reason, message, digest, lastFetched: now }) };
  }
};

type Facts = Omit<ImageInfo, "id" | "digest" | "lastFetched">;

interface ReadAny {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly parsed?: ParsedManifest;
  readonly fault: { readonly reason: ExcludedReason; readonly message: string };
  /** An answer of 200 that is an error all the same. */
  readonly saysErrors: boolean;
}

/** A manifest, or what is wrong with it. */
const readAny = async (store: Store, name: string, signal: AbortSignal | undefined): Promise<ReadAny> => {
  const read = await store.manifest(name, { signal }).catch((error: unknown) => {
    // What cannot be a manifest, such as a web page: whoever reads the message knows what was asked for.
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) throw new Unusable("bad-manifest", error.message);
    throw error;
  });
  const { descriptor, bytes } = read;
  const said = descriptor.mediaType;
  let value: unknown;
  try {
    value = parseJson(bytes, "manifest");
    return { descriptor, bytes, parsed: asManifest(value, said), fault: noFault, saysErrors: false };
  } catch (error) {
    if (!isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) throw error;
    const inside = isObject(value) && typeof value["mediaType"] === "string" ? value["mediaType"] : said;
    const isUnknown = isObject(value) && !isManifestLike(said) && !isManifestLike(inside) && inside !== "";
    const saysErrors = isObject(value) && Array.isArray(value["errors"]);
    const reason = isUnknown && !saysErrors && inside !== "application/octet-stream" ? "unknown-type" : "bad-manifest";
    return { descriptor, bytes, fault: { reason, message: error.message }, saysErrors };
  }
};

const noFault = { reason: "bad-manifest", message: "" } as const;

const infoOf = async (
  store: Store,
  { descriptor, bytes, parsed, fault }: ReadAny,
  options: LookOptions,
  depth: number,
): Promise<Facts> => {
  if (parsed === undefined) throw new Unusable(fault.reason, fault.message);
  const { mediaType } = parsed;
  if (parsed.kind === "index") return ofIndex(store, descriptor, parsed.index, options, depth);
  if (parsed.kind === "manifest") return ofImage(store, descriptor, parsed.manifest, parsed, options);
  if (parsed.kind === "artifact")
    return defined<Facts>({
      mediaType,
      artifactType: artifactTypeOf(parsed),
      annotations: filled(annotationsOf(parsed)),
    });
  const read = schema1Facts(bytes);
  if ("fault" in read) throw new Unusable("bad-configuration", `its history ${read.fault}`);
  const { imageID, facts } = read;
  refuseOthers(facts.platform, options.platforms);
  return defined<Facts>({ mediaType, imageID, ...aboutImage(facts, descriptor.digest) });
};

/** An image, or an artifact, which has no configuration that says anything. */
const ofImage = async (
  store: Store,
  { digest }: Descriptor,
  { config }: Manifest,
  parsed: ParsedManifest,
  options: LookOptions,
): Promise<Facts> => {
  const annotations = filled(annotationsOf(parsed));
  const { mediaType } = parsed;
  if (!isConfigType(config.mediaType) && !/^(?:|application\/(?:octet-stream|json))$/.test(config.mediaType))
    return defined<Facts>({ mediaType, artifactType: artifactTypeOf(parsed), annotations });
  const facts = await options.configurations.read(store, config, options).catch((error: unknown) => {
    if (!isDrayError(error, "NOT_FOUND")) throw error;
    throw new Unusable("missing-configuration", `its configuration ${config.digest} is not in the registry`);
  });
  if (facts.fault !== undefined)
    throw new Unusable("bad-configuration", `its configuration ${config.digest} ${facts.fault}`);
  refuseOthers(facts.platform, options.platforms);
  return defined<Facts>({ mediaType, imageID: config.digest, annotations, ...aboutImage(facts, digest) });
};

const aboutImage = (
  { createdAt, labels, platform }: { createdAt?: string; labels?: Facts["labels"]; platform?: string },
  digest: Digest,
): Pick<Facts, "createdAt" | "labels" | "platforms"> =>
  defined({ createdAt, labels, platforms: platform === undefined ? undefined : [{ platform, digest }] });

/** An image alone that says what it is for, and is for nothing that was asked for. What says nothing may be for anything. */
const refuseOthers = (platform: string | undefined, wanted: readonly WantedPlatform[]): void => {
  if (platform === undefined || wanted.length === 0) return;
  const offered = parsePlatform(platform) as Platform;
  if (wanted.some((each) => serves(each, offered))) return;
  throw noPlatform(wanted, platform);
};

const serves = (wanted: WantedPlatform, platform: Platform): boolean =>
  platformCovers(wanted, platform) || matchPlatform(wanted, [{ platform }]) !== undefined;

const noPlatform = (wanted: readonly WantedPlatform[], there: string): Unusable =>
  new Unusable("no-platform", `it has no image for ${wanted.map(formatPlatform).join(" or ")}; it has ${there}`);

const ofIndex = async (
  store: Store,
  root: Descriptor,
  index: Index,
  options: LookOptions,
  depth: number,
): Promise<Facts> => {
  const images = index.manifests.filter(isImage);
  const own = filled(index.annotations);
  const { mediaType } = root;
  const entry = await chosen(store, root, index, images, options);
  if (entry === undefined)
    return defined<Facts>({ mediaType, artifactType: index.artifactType || undefined, annotations: own });
  if (depth === deepest) throw new Unusable("bad-manifest", `its indexes lie deeper than ${deepest} in each other`);
  const child = await readAny(store, entry.digest, options.signal).catch((error: unknown) => {
    if (!isDrayError(error, "NOT_FOUND")) throw error;
    throw new Unusable("missing-manifest", `it names manifest ${entry.digest}, which is not in the registry`);
  });
  const below = await infoOf(store, child, options, depth + 1);
  const said = images.flatMap(({ platform, digest }) =>
    platform === undefined ? [] : [{ platform: formatPlatform(platform), digest }],
  );
  const platforms = together(said, below.platforms ?? [], entry);
  return defined<Facts>({
    ...below,
    mediaType,
    childDigest: below.childDigest ?? entry.digest,
    annotations: filled({ ...own, ...entry.annotations, ...below.annotations }),
    platforms: platforms.length === 0 ? undefined : platforms,
  });
};

/** What an index says of its images; of the one that was looked into what it says itself, where the index says nothing. */
const together = (
  said: readonly ImagePlatform[],
  found: readonly ImagePlatform[],
  entry: Descriptor,
): readonly ImagePlatform[] => (said.some(({ digest }) => digest === entry.digest) ? said : [...said, ...found]);

/** The image of an index to look into. `undefined`: there is none, only artifacts. */
const chosen = async (
  store: Store,
  root: Descriptor,
  index: Index,
  images: readonly Descriptor[],
  { platforms, signal }: LookOptions,
): Promise<Descriptor | undefined> => {
  if (platforms.length === 0) return images[0];
  for (const wanted of platforms) {
    try {
      return await fittingChild(store, index, wanted, root, { signal });
    } catch (error) {
      throwIfAborted(signal);
      // Several for one system: the first of them is as good as any.
      if (isDrayError(error, "USAGE"))
        return images.find(({ platform }) => platform !== undefined && platformCovers(wanted, platform));
      if (!isDrayError(error, "NOT_FOUND")) throw error;
    }
  }
  const there = images.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)]));
  throw noPlatform(platforms, [...new Set(there)].join(", ") || "no platforms");
};

/** Neither an attestation nor another artifact. */
const isImage = ({ mediaType, platform, artifactType, annotations }: Descriptor): boolean =>
  (isManifestType(mediaType) || isIndexType(mediaType)) &&
  artifactType === undefined &&
  platform?.os !== "unknown" &&
  annotations?.[annotationKeys.attestationType] === undefined;

/** None at all are not said. */
const filled = (map: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> | undefined =>
  map === undefined || Object.keys(map).length === 0 ? undefined : map;
