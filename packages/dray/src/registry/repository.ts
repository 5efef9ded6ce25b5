import { KeyedMutex, LruCache } from "../async/index.ts";
import {
  attach,
  type Cancel,
  type ChecksDigests,
  type Content,
  collect,
  type Describes,
  digestMismatch,
  type Expects,
  type HasReferrers,
  type HasTags,
  type Ingests,
  isManifest,
  jsonOf,
  type KeepsArrived,
  type KeepsReferenced,
  type LooksUp,
  type MountsFrom,
  type OpensLate,
  type PutManifestOptions,
  type PutOptions,
  put,
  putManifest,
  type ReadOptions,
  type ReadsElsewhere,
  type Removes,
  readJson,
  type Store,
  sizeMismatch,
  type TellsNew,
  transfersChunks,
  type WriteOptions,
  type WritesNamed,
} from "../content/index.ts";
import { DrayError } from "../errors.ts";
import {
  type ArtifactParts,
  algorithmOf,
  type Descriptor,
  type Digest,
  type Index,
  isDigest,
  largestManifest,
  type Manifest,
} from "../oci/index.ts";
import type { Api, HeldManifest, Repo } from "./api.ts";
import { describeBlob, hasBlob, readBlob, readBlobByDigest } from "./blobs.ts";
import { type Conditions } from "./conditions.ts";
import { type Contents, listContents } from "./contents.ts";
import { type DigestOptions, digestOfName } from "./digest.ts";
import { ingestContent } from "./ingest.ts";
import {
  getManifest,
  getManifestUnless,
  hasManifest,
  lookUpManifest,
  type ReadManifest,
  readManifest,
  resolveManifest,
} from "./manifests.ts";
import { listReferrers, pushManifest } from "./referrers.ts";
import { remove, removeBlob } from "./remove.ts";
import { digestOfManifest } from "./schema1.ts";
import { isNewRepository, type Listing, listTags, type TagsOptions } from "./tags.ts";
import { uploadBlob, worthSaving } from "./upload.ts";
import { mayMount, mountBlob, type TriedMount } from "./upload-session.ts";

/** A repository of a registry: a store whose names are tags. */
export interface Repository
  extends Store,
    ChecksDigests,
    KeepsReferenced,
    KeepsArrived,
    MountsFrom,
    HasReferrers,
    HasTags,
    Removes,
    Ingests,
    WritesNamed,
    LooksUp,
    TellsNew,
    OpensLate,
    Expects,
    ReadsElsewhere,
    Describes {
  /** The registry as references name it: `docker.io`. */
  readonly registry: string;
  /** The path on it: `library/alpine`. */
  readonly name: string;
  /**
   * Reads a manifest by tag or digest, in one request. The bytes are hashed and as the registry has them.
   * @throws DrayError `NOT_FOUND`, `DIGEST_MISMATCH`, `LIMIT_EXCEEDED`
   */
  manifest(name: string, options?: Cancel): Promise<ReadManifest>;
  /** The same, or nothing where it still has the entity tag `ifNoneMatch` and the registry says so. */
  manifest(
    name: string,
    options: Cancel & Required<Pick<Conditions, "ifNoneMatch">>,
  ): Promise<ReadManifest | undefined>;
  /**
   * The digest that a tag stands for, by one HEAD: registries that limit pulls do not count it.
   * @throws DrayError `NOT_FOUND`, `REGISTRY` where HEAD does not tell
   */
  digest(name: string, options?: DigestOptions): Promise<Digest>;
  /**
   * What the repository holds: its tags, and where the registry tells (Google's do) every manifest with its tags and times, and what lies below.
   * One request there, one for a thousand tags elsewhere.
   * @throws DrayError `NOT_FOUND`
   * @example
   * const { manifests } = await registry.repository("project/app").contents();
   * const untagged = [...(manifests?.values() ?? [])].filter(({ tags }) => tags.length === 0);
   */
  contents(options?: Cancel): Promise<Contents>;
  /** Gives content another name, perhaps only while that stands for what it did (`ifMatch`). @throws DrayError `CONFLICT` */
  tag(descriptor: Descriptor, name: string, options?: Cancel & Conditions): Promise<void>;
  /** As `write` and then `tag`, in one request. @throws DrayError `CONFLICT` */
  writeNamed(
    descriptor: Descriptor,
    content: Content,
    name: string,
    options?: WriteOptions & Conditions,
  ): Promise<void>;
  /** The bytes of a blob, as `read`, whatever its media type; by digest alone, too. One request, unless the connection is cut. */
  blob(content: Descriptor | Digest, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Puts a blob there, as `write`, whatever its media type. */
  upload(descriptor: Descriptor, content: Content, options?: WriteOptions): Promise<void>;
  /** Tags, page after page as they are asked for, in the registry's order. */
  tags(options?: TagsOptions): Listing;
  /** Puts bytes there, unless they are there, and says what they are. */
  put(bytes: Uint8Array, options: PutOptions): Promise<Descriptor>;
  /**
   * Puts a manifest or index there under its tags, with the empty content where it names that. Conditions are for one tag.
   * @throws DrayError `MANIFEST_INVALID`, `CONFLICT`, `USAGE`
   */
  putManifest(manifest: Manifest | Index | Uint8Array, options?: PutManifestOptions & Conditions): Promise<Descriptor>;
  /** Attaches an artifact to what has a name, or to a descriptor, as `attach`. */
  attach(
    subject: string | Descriptor,
    artifact: Omit<ArtifactParts, "subject">,
    options?: PutManifestOptions,
  ): Promise<Descriptor>;
  /** Small content as the JSON value that it is; by digest alone it is a blob. `T` is believed and not checked. */
  json<T = unknown>(content: Descriptor | Digest, options?: Cancel): Promise<T>;
  /**
   * Deletes a tag, or by digest a manifest with all of its tags; never a blob.
   * @throws DrayError `NOT_FOUND`, `UNSUPPORTED`
   */
  remove(name: string, options?: Cancel): Promise<void>;
  /**
   * Deletes a blob, whatever refers to it here: manifests that do can be pulled no more.
   * @throws DrayError `NOT_FOUND`, `UNSUPPORTED`
   */
  removeBlob(digest: Digest, options?: Cancel): Promise<void>;
}

/** Docker Hub counts what reads a manifest, and does not count what only asks for it: what turns out to be there already costs nothing. */
const countsManifests = (registry: string): boolean => registry === "docker.io";

/** Bytes of manifests that are kept at most. A manifest has some kilobytes; a larger one than this is read again. */
const kept = 4 * 1024 * 1024;

/** Sizes by HEAD that are remembered until the manifest is read. */
const mostHints = 10_000;

/** Whose insides may be reached: what only inherits from a repository, or wraps it, has none. */
const reposOf = new WeakMap<object, Repo>();

/** The store behind one repository. */
export const createRepository = (api: Api, name: string): Repository => {
  const manifests = new LruCache<Digest, HeldManifest>(kept, { largest: kept });
  const repo: Repo = {
    api,
    name,
    manifests,
    hintedSizes: new LruCache(mostHints),
    hintedTags: new LruCache(mostHints),
    features: {},
    turns: new KeyedMutex(),
  };
  /** Of mounts that came to nothing, for the uploads that follow. */
  const tried = new Map<Digest, TriedMount>();

  const upload: Repository["upload"] = async (descriptor, content, options = {}) => {
    const mount = tried.get(descriptor.digest);
    tried.delete(descriptor.digest);
    await uploadBlob(repo, descriptor, content, options, mount);
  };

  const writeNamed: Repository["writeNamed"] = async (descriptor, content, tagOrDigest, options = {}) => {
    const bytes = await collect(content.open(options), largestManifest, `manifest ${descriptor.digest}`);
    if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, `${bytes.byteLength}`);
    const found = digestOfManifest(bytes, descriptor.mediaType, algorithmOf(descriptor.digest));
    if (found !== descriptor.digest) throw digestMismatch(descriptor, found);
    await pushManifest(repo, { descriptor, bytes }, isDigest(tagOrDigest) ? found : tagOrDigest, options);
  };

  const repository: Repository = {
    registry: api.registry,
    name,
    checksDigests: true,
    keepsReferenced: true,
    keepsArrived: "whole",
    resolve: async (tagOrDigest, options = {}) =>
      options.toRead === true && !countsManifests(api.registry)
        ? (await getManifest(repo, tagOrDigest, options)).descriptor
        : resolveManifest(repo, tagOrDigest, options),
    opensLate: ({ size }) => size < worthSaving,
    isNew: (options) => isNewRepository(repo, options),
    expect: (pieces) => api.expect(pieces),
    remembers: ({ digest }) => manifests.get(digest) !== undefined,
    lookUp: (tagOrDigest, options) => lookUpManifest(repo, tagOrDigest, options),
    manifest: ((tagOrDigest: string, options: Cancel & Pick<Conditions, "ifNoneMatch"> = {}) =>
      (options.ifNoneMatch === undefined ? getManifest : getManifestUnless)(
        repo,
        tagOrDigest,
        options,
      )) as Repository["manifest"],
    digest: (tagOrDigest, options) => digestOfName(repo, tagOrDigest, options),
    read: transfersChunks<Repository["read"]>((descriptor, options = {}) =>
      (isManifest(descriptor, options) ? readManifest : readBlob)(repo, descriptor, options),
    ),
    blob: (content, options) =>
      typeof content === "string" ? readBlobByDigest(repo, content, options) : readBlob(repo, content, options),
    describe: (digest, options) => describeBlob(repo, digest, options),
    misled: (digest, sure) => api.elsewhere?.misled(digest, sure) === true,
    has: (descriptor, options) => (isManifest(descriptor, options) ? hasManifest : hasBlob)(repo, descriptor, options),
    write: (descriptor, content, options = {}) =>
      isManifest(descriptor, options)
        ? writeNamed(descriptor, content, descriptor.digest, options)
        : upload(descriptor, content, options),
    writeNamed,
    upload,
    ingest: (content, options) => ingestContent(repo, content, options),
    tag: async (descriptor, tag, options = {}) => {
      const { digest } = descriptor;
      if (tag === digest) return;
      const { bytes } = manifests.get(digest) ?? (await getManifest(repo, digest, options));
      await pushManifest(repo, { descriptor, bytes }, tag, options);
    },
    mayMountFrom: (descriptor, source, options) => {
      const from = reposOf.get(source);
      return from !== undefined && !isManifest(descriptor, options) && mayMount(repo, from);
    },
    mountFrom: async (descriptor, source, options) => {
      const from = reposOf.get(source);
      if (from === undefined || isManifest(descriptor, options)) return false;
      const { digest } = descriptor;
      const { session, retryBudget } = tried.get(digest) ?? { retryBudget: api.retryBudget() };
      const answer = await mountBlob(repo, descriptor, from, retryBudget, options);
      if (answer === true) return true;
      tried.set(digest, { retryBudget, session: answer === false ? session : answer });
      return false;
    },
    referrers: (subject, options) => listReferrers(repo, subject, options),
    tags: (options) => listTags(repo, options),
    contents: (options) => listContents(repo, options),
    put: (bytes, options) => put(repository, bytes, options),
    putManifest: async (manifest, options = {}) => {
      const { ifMatch, ifNoneMatch, tags = [] } = options;
      if ((ifMatch ?? ifNoneMatch) !== undefined && tags.length !== 1)
        throw new DrayError("USAGE", "ifMatch and ifNoneMatch are about what one tag stands for; name one tag");
      return putManifest(repository, manifest, options);
    },
    attach: (subject, artifact, options) => attach(repository, subject, artifact, options),
    json: (content, options) =>
      typeof content === "string"
        ? jsonOf(readBlobByDigest(repo, content, options), content)
        : readJson(repository, content, options),
    remove: (tagOrDigest, options) => remove(repo, tagOrDigest, options),
    removeBlob: (digest, options) => removeBlob(repo, digest, options),
    /** Everything is in its place already; what was only kept to save requests is let go. */
    close: async () => {
      tried.clear();
      manifests.clear();
    },
  };
  reposOf.set(repository, repo);
  return repository;
};
