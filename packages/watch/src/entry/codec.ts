import { defined } from "dray/internal/defined";
import { encodeJson, formatReference, isDigest, isObject, parseReference } from "dray/oci";
import type { Excluded, ExcludedReason, ImageEntry, ImageInfo, ImagePlatform } from "./entry.ts";
import { inUtc, isTime, labelTimes, timeIn, timeLabels } from "./times.ts";

/** How an entry is written. */
export interface EncodeEntryOptions {
  /**
   * `"v3"`: the members that flux keeps under keys of this name, and no others: of labels the two times, of an index the digest of the
   * image in it. Default: everything.
   */
  readonly form?: "v3";
}

/** An entry as JSON. @example decodeEntry(encodeEntry(entry)) */
export const encodeEntry = (entry: ImageEntry, { form }: EncodeEntryOptions = {}): Uint8Array =>
  encodeJson(form === "v3" ? inV3(entry) : entry);

/**
 * Reads an entry in any of three forms: our own, flux's with the bare members of an image, and flux's with nothing but a reason.
 * `undefined`: it is none of these, or damaged, and as good as not there.
 */
export const decodeEntry = (bytes: Uint8Array): ImageEntry | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if (isObject(value["info"])) return withInfo(infoIn(value["info"]));
  if (isObject(value["excluded"])) return withReason(value["excluded"]);
  const told = text(value["ExcludedReason"]);
  if (told !== undefined) return { excluded: { reason: "told", message: told } };
  return withInfo(infoInV3(value));
};

const withInfo = (info: ImageInfo | undefined): ImageEntry | undefined => info && { info };

const inV3 = ({ info, excluded }: ImageEntry): object => {
  if (excluded !== undefined) return { ExcludedReason: excluded.message };
  const { created, buildDate } = labelTimes(info);
  const utc = (time: string | undefined): string | undefined => time && inUtc(time);
  return defined<Record<string, unknown>>({
    ID: nameInV3(info.id),
    Digest: info.childDigest ?? info.digest,
    ImageID: info.imageID,
    Labels: defined<{ readonly [timeLabels.buildDate]?: string; readonly [timeLabels.created]?: string }>({
      [timeLabels.buildDate]: utc(buildDate),
      [timeLabels.created]: utc(created),
    }),
    CreatedAt: utc(info.createdAt),
    LastFetched: utc(info.lastFetched),
  });
};

/** Docker Hub by its older name. */
const nameInV3 = (id: string): string => id.replace(/^docker\.io\//, "index.docker.io/");

const infoInV3 = (value: Readonly<Record<string, unknown>>): ImageInfo | undefined =>
  infoIn({
    id: canonicalId(text(value["ID"])),
    digest: value["Digest"],
    imageID: value["ImageID"],
    labels: value["Labels"],
    createdAt: value["CreatedAt"],
    lastFetched: value["LastFetched"],
  });

const canonicalId = (id: string | undefined): string | undefined => {
  try {
    return id === undefined ? undefined : formatReference(parseReference(id, { defaultTag: "" }));
  } catch {
    return undefined;
  }
};

/** Everything that is what it should be; nothing without a name and a digest. */
const infoIn = (value: Readonly<Record<string, unknown>>): ImageInfo | undefined => {
  const { digest, childDigest } = value;
  const id = text(value["id"]);
  if (id === undefined || !isDigest(digest)) return undefined;
  return defined<ImageInfo>({
    id,
    digest,
    mediaType: text(value["mediaType"]),
    childDigest: isDigest(childDigest) ? childDigest : undefined,
    imageID: text(value["imageID"]),
    artifactType: text(value["artifactType"]),
    labels: texts(value["labels"]),
    annotations: texts(value["annotations"]),
    createdAt: timeIn(value["createdAt"]),
    lastFetched: timeIn(value["lastFetched"]),
    platforms: platformsIn(value["platforms"]),
  });
};

const platformsIn = (value: unknown): ImagePlatform[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const found = (value as unknown[]).flatMap((each) => {
    const { platform, digest } = isObject(each) ? each : {};
    return typeof platform === "string" && isDigest(digest) ? [{ platform, digest }] : [];
  });
  return found.length === 0 ? undefined : found;
};

const reasons: ReadonlySet<unknown> = new Set<ExcludedReason>([
  "no-platform",
  "unknown-type",
  "bad-manifest",
  "bad-configuration",
  "missing-manifest",
  "missing-configuration",
  "told",
]);

const withReason = (value: Readonly<Record<string, unknown>>): ImageEntry | undefined => {
  const { reason, digest, lastFetched } = value;
  const message = text(value["message"]);
  if (message === undefined) return undefined;
  const known = reasons.has(reason) ? (reason as ExcludedReason) : "told";
  return {
    excluded: defined<Excluded>({
      reason: known,
      message,
      digest: isDigest(digest) ? digest : undefined,
      lastFetched: isTime(lastFetched) ? lastFetched : undefined,
    }),
  };
};

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Texts by name; none at all is nothing. */
const texts = (value: unknown): Record<string, string> | undefined => {
  if (!isObject(value)) return undefined;
  const found = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return found.length === 0 ? undefined : Object.fromEntries(found);
};
