import { withJson } from "@dray/service/response";
import { isDrayError } from "dray/errors";
import type { HttpRequest, HttpResponse, Middleware } from "dray/http";
import { childrenOf, type Descriptor, type Digest, isManifestLike, parseManifest } from "dray/oci";
import { refuse, splitTarget } from "../respond.ts";
import type { MemoryRegistry, StoredManifest } from "./memory-registry.ts";

/** How a registry answers that is Google's. */
export interface GoogleOptions {
  /** When a manifest came, in milliseconds since 1970. Default: 2026 begins. */
  readonly uploaded?: (repository: string, digest: Digest) => number;
}

/**
 * Answers as Google's registries do in front of one in memory: the list of tags names all manifests, with their tags and times, and the
 * repositories below; a path with repositories below it is one, too. A manifest with tags, or that an index names, is not deleted.
 * @example
 * const memory = memoryRegistry();
 * const { origin } = await listen(googleListing(memory)(memory.handler));
 * @see https://cloud.google.com/artifact-registry/docs/reference/docker-api
 */
export const googleListing =
  (memory: MemoryRegistry, { uploaded = () => Date.UTC(2026, 0, 1) }: GoogleOptions = {}): Middleware =>
  (next) =>
  async (request) => {
    const { path } = splitTarget(request.target);
    const [, listed] = /^\/v2\/(.+)\/tags\/list$/.exec(path) ?? [];
    if (listed !== undefined && request.method === "GET") {
      // Who may not read is told so by the registry.
      const asked = await next(request);
      if (asked.status === 401 || asked.status === 403) return asked;
      await asked.body.discard();
      return listOf(memory, request, listed, uploaded);
    }
    const [, repository = "", name = ""] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path) ?? [];
    if (request.method === "DELETE" && name.includes(":")) {
      const why = heldBy(memory, repository, decodeURIComponent(name) as Digest);
      if (why !== undefined) return refuse(request, 400, "MANIFEST_INVALID", why);
    }
    return next(request);
  };

const listOf = (
  memory: MemoryRegistry,
  request: HttpRequest,
  repository: string,
  uploaded: NonNullable<GoogleOptions["uploaded"]>,
): HttpResponse => {
  const below = memory.repositories().filter((each) => each.startsWith(`${repository}/`));
  const child = [...new Set(below.map((each) => each.slice(repository.length + 1).split("/")[0] ?? ""))];
  const digests = memory.manifests(repository);
  if (digests.length === 0 && child.length === 0)
    return refuse(request, 404, "NAME_UNKNOWN", `there is no repository ${repository}`);
  const tagsOf = tagsByDigest(memory, repository);
  const manifest = Object.fromEntries(
    digests.flatMap((digest) => {
      const held = memory.manifest(repository, digest);
      if (held === undefined) return [];
      const time = String(uploaded(repository, digest));
      const tag = tagsOf.get(digest) ?? [];
      const said = { imageSizeBytes: String(sizeOf(held)), layerId: "", mediaType: held.mediaType, tag };
      return [[digest, { ...said, timeCreatedMs: time, timeUploadedMs: time }]];
    }),
  );
  return withJson(request, { child, manifest, name: repository, tags: memory.tags(repository) });
};

const tagsByDigest = (memory: MemoryRegistry, repository: string): ReadonlyMap<Digest, readonly string[]> => {
  const tags = new Map<Digest, string[]>();
  for (const tag of memory.tags(repository)) {
    const digest = memory.manifest(repository, tag)?.digest;
    if (digest !== undefined) tags.set(digest, [...(tags.get(digest) ?? []), tag]);
  }
  return tags;
};

/** What is damaged names nothing. */
const namedBy = ({ bytes, mediaType }: StoredManifest): readonly Descriptor[] => {
  try {
    return childrenOf(parseManifest(bytes, mediaType));
  } catch (error) {
    if (isDrayError(error)) return [];
    throw error;
  }
};

const sizeOf = (held: StoredManifest): number => namedBy(held).reduce((sum, { size }) => sum + size, 0);

const heldBy = (memory: MemoryRegistry, repository: string, digest: Digest): string | undefined => {
  if (tagsByDigest(memory, repository).has(digest)) return "GOOGLE_MANIFEST_DANGLING_TAG: the manifest has tags";
  const parent = memory.manifests(repository).find((other) => {
    const held = memory.manifest(repository, other);
    return held !== undefined && namedBy(held).some((each) => isManifestLike(each.mediaType) && each.digest === digest);
  });
  return parent === undefined ? undefined : `GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE: ${parent} names it`;
};
