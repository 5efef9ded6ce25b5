import type { Cancel } from "../content/index.ts";
import { defined } from "../defined.ts";
import { type Digest, isDigest, isObject } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { tagPages } from "./tags.ts";

/** A manifest, as a registry tells of it that lists manifests. */
export interface ListedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of all that it names, as the registry counts them. */
  readonly size: number;
  /** None: it can be had by its digest alone. */
  readonly tags: readonly string[];
  /** What the image says of itself, which may be 1970 where builds are reproducible. */
  readonly created?: Date;
  /** When it came to the registry. */
  readonly uploaded?: Date;
}

/** What a repository holds. */
export interface Contents {
  readonly tags: readonly string[];
  /** Every manifest, tagged or not; `undefined`: the registry tells the names of tags alone, as most do. */
  readonly manifests: ReadonlyMap<Digest, ListedManifest> | undefined;
  /** The next part of the paths of repositories below this one; `undefined`: the registry does not tell. */
  readonly children: readonly string[] | undefined;
}

/** Google's registries give all at once, and take larger pages than others do. */
const googlePage = 10_000;
const isGoogle = (registry: string): boolean => /(?:^|\.)(?:gcr\.io|pkg\.dev|google\.com)$/.test(registry);

/**
 * What a repository holds: its tags, and where a registry answers in Google's form, every manifest and what lies below, all in one request.
 * @throws DrayError `NOT_FOUND`
 * @see https://pkg.go.dev/github.com/google/go-containerregistry/pkg/v1/google#Tags
 */
export const listContents = async (repo: Repo, { signal }: Cancel = {}): Promise<Contents> => {
  let google: Pick<Contents, "manifests" | "children"> | undefined;
  const onPage = (page: Readonly<Record<string, unknown>>): void => void (google ??= inGoogleForm(page));
  const pageSize = isGoogle(repo.api.registry) ? googlePage : undefined;
  const tags: string[] = [];
  for await (const page of tagPages(repo, { pageSize, signal, onPage })) {
    tags.push(...page);
    // Its list is whole, whatever was asked for.
    if (google !== undefined) break;
  }
  return { tags, manifests: undefined, children: undefined, ...google };
};

const inGoogleForm = (
  page: Readonly<Record<string, unknown>>,
): Pick<Contents, "manifests" | "children"> | undefined => {
  const { manifest, child } = page;
  if (!isObject(manifest) && !Array.isArray(child)) return undefined;
  const manifests = new Map<Digest, ListedManifest>();
  for (const [digest, said] of Object.entries(isObject(manifest) ? manifest : {}))
    if (isDigest(digest) && isObject(said)) manifests.set(digest, manifestOf(digest, said));
  return { manifests, children: textsIn(child) };
};

const manifestOf = (digest: Digest, said: Record<string, unknown>): ListedManifest =>
  defined({
    digest,
    mediaType: typeof said["mediaType"] === "string" ? said["mediaType"] : "",
    size: numberIn(said["imageSizeBytes"]) ?? 0,
    tags: textsIn(said["tag"]),
    created: dateIn(said["timeCreatedMs"]),
    uploaded: dateIn(said["timeUploadedMs"]),
  });

/** Numbers are written as text. */
const numberIn = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
};

const dateIn = (value: unknown): Date | undefined => {
  const time = numberIn(value);
  const date = time === undefined ? undefined : new Date(time);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
};

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
