import type { Cancel, WriteOptions } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import {
  algorithmOf,
  artifactTypeOf,
  type Descriptor,
  type Digest,
  digestOf,
  encodeJson,
  hexOf,
  type Index,
  mediaTypes,
  type ParsedManifest,
  parseManifest,
} from "../oci/index.ts";
import { type Repo, referenceIn } from "./api.ts";
import { getManifest, putManifest } from "./manifests.ts";

/** Times that several writers may get in one another's way. */
const attempts = 10;

/**
 * The tag under which clients list what refers to a manifest, where the registry has no referrers API.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
export const fallbackTag = (subject: Digest): string =>
  `${algorithmOf(subject).slice(0, 32)}-${hexOf(subject).slice(0, 64)}`.replace(/[^a-zA-Z0-9._-]/g, "-");

/** The list as it is now. `index` is missing where the tag stands for something else. */
export interface Fallback {
  readonly index?: Index;
  readonly mediaType: string;
  readonly etag?: string;
}

/** Reads the list under the fallback tag, where there is one. */
export const readFallback = async (repo: Repo, subject: Digest, options: Cancel): Promise<Fallback | undefined> => {
  try {
    const { bytes, descriptor, etag } = await getManifest(repo, fallbackTag(subject), options);
    const parsed = parseManifest(bytes, descriptor.mediaType);
    return {
      mediaType: parsed.mediaType,
      ...(parsed.kind === "index" ? { index: parsed.index } : {}),
      ...(etag === undefined ? {} : { etag }),
    };
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
};

/** Enters a manifest that was pushed into the list of its subject. */
export const addToFallback = (
  repo: Repo,
  subject: Digest,
  referrer: Descriptor,
  parsed: ParsedManifest,
  options: WriteOptions,
): Promise<void> =>
  change(repo, subject, options, (entries) =>
    entries.some(({ digest }) => digest === referrer.digest) ? undefined : [...entries, entryOf(referrer, parsed)],
  );

/** Strikes a manifest that was deleted off the list of its subject. */
export const removeFromFallback = (repo: Repo, subject: Digest, referrer: Digest, options: Cancel): Promise<void> =>
  change(repo, subject, options, (entries) => {
    const others = entries.filter(({ digest }) => digest !== referrer);
    return others.length === entries.length ? undefined : others;
  });

/** What the referrers API would say: the type of the artifact, and the annotations of its manifest. */
const entryOf = ({ mediaType, digest, size }: Descriptor, parsed: ParsedManifest): Descriptor => {
  const artifactType = artifactTypeOf(parsed);
  const annotations =
    parsed.kind === "index"
      ? parsed.index.annotations
      : parsed.kind === "manifest"
        ? parsed.manifest.annotations
        : null;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations ? { annotations } : {}),
  };
};

/**
 * Reads, changes and writes the list until a reading shows that nothing is left to change: another writer may have read
 * before we wrote, and written after. Where the registry honours `If-Match` it refuses the later one; others show it only
 * when the list is read again. Entries and members that we do not know stay.
 */
const change = (
  repo: Repo,
  subject: Digest,
  options: WriteOptions,
  edit: (entries: readonly Descriptor[]) => readonly Descriptor[] | undefined,
): Promise<void> =>
  repo.turns.run(fallbackTag(subject), async () => {
    const tag = fallbackTag(subject);
    for (let attempt = 1; ; attempt++) {
      const found = await readFallback(repo, subject, options);
      if (found !== undefined && found.index === undefined) throw occupied(repo, tag);
      const manifests = edit(found?.index?.manifests ?? []);
      if (manifests === undefined) return;
      if (attempt > attempts) throw crowded(repo, tag);
      const { clock } = repo.api.settings;
      if (attempt > 1) await clock.sleep(clock.random() * 20 * attempt, options.signal);
      const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, ...found?.index, manifests };
      await write(repo, tag, index, found, options);
    }
  });

const write = async (
  repo: Repo,
  tag: string,
  index: object,
  found: Fallback | undefined,
  options: WriteOptions,
): Promise<void> => {
  const bytes = encodeJson(index);
  const mediaType = found?.mediaType ?? mediaTypes.ociIndex;
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  const condition =
    found === undefined
      ? (["If-None-Match", "*"] as const)
      : found.etag === undefined
        ? undefined
        : (["If-Match", found.etag] as const);
  try {
    await putManifest(repo, { descriptor, bytes }, tag, { ...options, condition });
  } catch (error) {
    // Somebody was faster: what they wrote is read next.
    if (!isDrayError(error) || error.status !== 412) throw error;
  }
};

const occupied = (repo: Repo, tag: string): DrayError =>
  new DrayError(
    "EXISTS",
    `${referenceIn(repo, tag)} is no list of referrers, and is not replaced by one; give it another tag and push again`,
    { reference: referenceIn(repo, tag), registry: repo.api.registry },
  );

const crowded = (repo: Repo, tag: string): DrayError =>
  new DrayError(
    "REGISTRY",
    `others write ${referenceIn(repo, tag)} at the same time, and ${repo.api.registry} keeps only the last; push again`,
    { reference: referenceIn(repo, tag), registry: repo.api.registry, retryable: true },
  );
