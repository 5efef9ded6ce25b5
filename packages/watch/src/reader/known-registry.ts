import { formatDuration } from "@dray/service/figures";
import { DrayError, type ErrorCode } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import { defined } from "dray/internal/defined";
import { parseReference, type Reference } from "dray/oci";
import type { Excluded, ExcludedReason, ImageInfo } from "../entry/index.ts";
import { parseRepository, type Repository, repositoryFromImage } from "../repository.ts";
import type { KnownImages, KnownTag, LastError } from "./known.ts";
import type { KnownImage, Registry, RepositoryMetadata, Stale } from "./registry.ts";
import { sorted } from "./sorted.ts";

/** What a caller does about an image that is left out. */
const codes: Readonly<Record<ExcludedReason, ErrorCode>> = {
  "no-platform": "NOT_FOUND",
  "missing-manifest": "NOT_FOUND",
  "missing-configuration": "NOT_FOUND",
  "bad-manifest": "MANIFEST_INVALID",
  "bad-configuration": "MANIFEST_INVALID",
  "unknown-type": "UNSUPPORTED",
  told: "UNSUPPORTED",
};

/**
 * A registry over what is known.
 * @example
 * const registry = knownRegistry(stateImages(file.statements));
 * const [newest] = await registry.images("alpine", { sort: "semver" });
 * if (newest?.stale) console.warn(newest.stale.message);
 */
export const knownRegistry = (
  known: KnownImages,
  { clock = systemClock }: { readonly clock?: Pick<Clock, "now"> | undefined } = {},
): Registry => {
  const nothing = (name: string, error: LastError | undefined): DrayError => {
    const now = clock.now();
    const facts = { reference: name };
    if (error === undefined)
      return new DrayError(
        "NO_IMAGE_DATA",
        `nothing is known of ${name} yet: it has not been looked at; it takes a while at first`,
        facts,
      );
    const since = error.since ?? error.seen;
    const ago = error.seen === undefined ? "" : ` ${formatDuration(Math.max(0, now - error.seen))} ago`;
    const first =
      since === undefined || since === error.seen ? "" : `, as for ${formatDuration(Math.max(0, now - since))} now`;
    const message = `nothing is known of ${name} yet: the last look failed${ago}${first}: ${error.message}`;
    return new DrayError("NO_IMAGE_DATA", message, facts);
  };

  const getRepositoryMetadata: Registry["getRepositoryMetadata"] = async (asked) => {
    const { name, repository } = named(asked);
    const found = await known.repository(repository);
    if (found?.lastUpdate === undefined) throw nothing(name, found?.lastError);
    const images = new Map<string, KnownImage>();
    const excluded = new Map<string, Excluded>();
    const missing = new Map<string, string>();
    for (const [tag, { entry, lastError, unwanted }] of found.tags) {
      if (entry?.info !== undefined) images.set(tag, asAsked(entry.info, `${name}:${tag}`, lastError));
      else if (entry?.excluded !== undefined) excluded.set(tag, entry.excluded);
      else if (unwanted !== true) missing.set(tag, lastError?.message ?? "it has not been looked at yet");
    }
    return defined<RepositoryMetadata>({
      name,
      repository,
      tags: [...found.tags.keys()].sort(),
      images,
      excluded,
      missing,
      complete: found.complete && missing.size === 0,
      lastUpdate: new Date(found.lastUpdate).toISOString(),
      stale: staleBy(found.lastError),
    });
  };

  return {
    getRepositoryMetadata,
    getImage: async (asked) => {
      const { name, repository, tag } = namedImage(asked);
      const found = await known.tag(repository, tag);
      if (found?.entry === undefined && found?.unwanted === true) throw unwanted(name);
      if (found?.entry === undefined) throw nothing(name, await lastErrorOf(known, repository, found));
      const { info, excluded } = found.entry;
      if (info !== undefined) return asAsked(info, name, found.lastError);
      throw new DrayError(codes[excluded.reason], `${name}: ${excluded.message}`, { reference: name });
    },
    images: async (asked, { sort = "created" } = {}) =>
      sorted((await getRepositoryMetadata(asked)).images, sort, clock.now()),
  };
};

const unwanted = (name: string): DrayError =>
  new DrayError("NO_IMAGE_DATA", `nothing is known of ${name}: no policy wants it, so it is not looked into`, {
    reference: name,
  });

/** A tag that has none of its own has that of its repository. */
const lastErrorOf = async (
  known: KnownImages,
  repository: Repository,
  found: KnownTag | undefined,
): Promise<LastError | undefined> => found?.lastError ?? (await known.repository(repository))?.lastError;

const asAsked = (info: ImageInfo, id: string, lastError: LastError | undefined): KnownImage =>
  defined<KnownImage>({ ...info, id, stale: staleBy(lastError) });

const staleBy = (error: LastError | undefined): Stale | undefined =>
  error &&
  defined<Stale>({
    message: error.message,
    code: error.code,
    since: error.since === undefined ? undefined : new Date(error.since).toISOString(),
  });

const named = (asked: Repository | string): { readonly name: string; readonly repository: Repository } =>
  typeof asked === "string"
    ? { name: asked, repository: parseRepository(asked) }
    : { name: asked.text, repository: asked };

const namedImage = (
  asked: Reference | string,
): { readonly name: string; readonly repository: Repository; readonly tag: string } => {
  const image = typeof asked === "string" ? parseReference(asked) : asked;
  const { tag } = image;
  const repository = repositoryFromImage(image);
  if (tag === undefined || image.digest !== undefined) {
    const name = typeof asked === "string" ? asked : repository.text;
    throw new DrayError(
      "REFERENCE_INVALID",
      `${name}: what is known is known by tags; name the image by its tag alone`,
      { reference: name },
    );
  }
  // A name without a tag means latest, and is told with it.
  const name =
    typeof asked !== "string" ? `${repository.text}:${tag}` : asked.endsWith(`:${tag}`) ? asked : `${asked}:${tag}`;
  return { name, repository, tag };
};
