import { createRegistry, type MemoryContent, memoryDriver, type Registry, treePaths, typeInside } from "@dray/server";
import { bytesContent, type Content } from "dray/content";
import type { Handler } from "dray/http";
import { type Descriptor, type Digest, digestOf, isDigest } from "dray/oci";
import { RequestLog } from "../log.ts";
import { accessOf } from "./access.ts";
import type { MemoryRegistryOptions } from "./options.ts";
import { quirks } from "./quirks.ts";

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A registry, and a way round its API for tests that prepare or look. */
export interface MemoryRegistry {
  readonly handler: Handler;
  /** Every request that came to `handler`. */
  readonly log: RequestLog;
  /** The server itself. */
  readonly server: Registry;
  /** Names of repositories, sorted. */
  repositories(): string[];
  /** Names of tags, sorted; none where there is no such repository. */
  tags(repository: string): readonly string[];
  /** Digests of manifests, tagged or not. */
  manifests(repository: string): readonly Digest[];
  /** A manifest by tag or digest. */
  manifest(repository: string, name: string): (StoredManifest & { readonly digest: Digest }) | undefined;
  /** A blob that the repository has. `content` is missing where it was hashed and dropped. */
  blob(
    repository: string,
    digest: Digest,
  ): { readonly size: number; readonly content: Content | undefined } | undefined;
  /** Upload sessions that are open. */
  uploads(): Promise<{ repository: string; size: number }[]>;
  /** Puts a blob there. */
  addBlob(repository: string, bytes: Uint8Array): Digest;
  /** Puts a blob there that is made as it is read. The descriptor is believed. */
  addContent(repository: string, blob: { descriptor: Descriptor; content: MemoryContent }): Digest;
  /** Puts a manifest there, under its digest and perhaps a tag. Its children need not exist. */
  addManifest(repository: string, manifest: StoredManifest, tag?: string): Digest;
  /** Adds tags without bodies, to be listed: 100,000 cost a name each. With a digest they all stand for that manifest. */
  addTags(repository: string, names: Iterable<string>, digest?: Digest): void;
  /** Forgets every open upload session. */
  dropUploads(): Promise<void>;
}

const nobody: Digest = digestOf(new Uint8Array(0));
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * A registry in memory: the registry server over a driver without files, to plug in where a client has its connection or to serve
 * with `listen`. What it should lack or do its own way is taken away in front of it.
 * @example
 * const registry = memoryRegistry({ referrers: false });
 * const { origin } = await listen(registry.handler);
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export const memoryRegistry = (options: MemoryRegistryOptions = {}): MemoryRegistry => {
  const log = new RequestLog(options.now);
  const sink = options.sink === true;
  const driver = memoryDriver({ sink });
  const page = options.pageSize ?? Number.MAX_SAFE_INTEGER;
  const server = createRegistry({
    driver,
    // What a test puts there beside the API is seen at once.
    recheckAfter: 0,
    // A client has limits of its own, and they are to be tested.
    largestServed: Number.MAX_SAFE_INTEGER,
    deletes: options.deletes !== false,
    sparseImages: options.sparse === true,
    completeIndexes: options.sparse === true ? "none" : "all",
    pages: { tags: page, catalog: page, referrers: options.referrersPageSize ?? Number.MAX_SAFE_INTEGER },
    locations: { relative: options.absoluteLocations !== true },
    ...(options.largestManifest === undefined ? {} : { largestManifest: options.largestManifest }),
    ...(options.access === undefined ? {} : { access: accessOf(options.access) }),
  });

  const linkOf = (path: string): Digest | undefined => {
    const bytes = driver.getSync(path);
    const text = bytes && new TextDecoder().decode(bytes);
    return isDigest(text) ? text : undefined;
  };
  const link = (folder: string, digest: Digest): void => driver.putSync(`${folder}/link`, encode(digest));
  const hold = (repository: string, digest: Digest): Digest => {
    link(treePaths.layerFolder(repository, digest), digest);
    // As a push would: a mount that says nothing of where from looks here first.
    server.context.leases.record(repository, digest);
    return digest;
  };
  const setTag = (repository: string, tag: string, digest: Digest): void =>
    driver.putSync(treePaths.currentLink(repository, tag), encode(digest));
  const below = (prefix: string): string[] =>
    (driver.listSync(prefix === "" ? treePaths.repositoriesRoot : treePaths.repositoryPath(prefix)) ?? []).flatMap(
      (name) => {
        if (name.startsWith("_")) return prefix !== "" && (name === "_manifests" || name === "_layers") ? [prefix] : [];
        return below(prefix === "" ? name : `${prefix}/${name}`);
      },
    );

  return {
    handler: log.middleware(quirks(options)(server)),
    log,
    server,
    repositories: () => [...new Set(below(""))].sort(),
    tags: (repository) => (driver.listSync(treePaths.tagsPath(repository)) ?? []).sort(),
    manifests: (repository) => {
      const folder = treePaths.revisionsPath(repository);
      const digests = (driver.listSync(folder) ?? []).flatMap((algorithm) =>
        (driver.listSync(`${folder}/${algorithm}`) ?? []).map((hex) => `${algorithm}:${hex}`),
      );
      return digests
        .filter((digest) => isDigest(digest))
        .filter((digest) => linkOf(`${treePaths.revisionFolder(repository, digest)}/link`) !== undefined)
        .sort();
    },
    manifest: (repository, name) => {
      const digest = isDigest(name) ? name : linkOf(treePaths.currentLink(repository, name));
      if (digest === undefined || linkOf(`${treePaths.revisionFolder(repository, digest)}/link`) === undefined)
        return undefined;
      const bytes = driver.getSync(treePaths.blobPath(digest));
      const pushed = driver.getSync(treePaths.typePath(repository, digest));
      const mediaType = pushed === undefined ? bytes && typeInside(bytes) : new TextDecoder().decode(pushed);
      return bytes && mediaType !== undefined ? { digest, mediaType, bytes } : undefined;
    },
    blob: (repository, digest) => {
      if (linkOf(`${treePaths.layerFolder(repository, digest)}/link`) === undefined) return undefined;
      const size = driver.sizeSync(treePaths.blobPath(digest));
      const bytes = sink ? undefined : driver.getSync(treePaths.blobPath(digest));
      return size === undefined ? undefined : { size, content: bytes && bytesContent(bytes) };
    },
    uploads: () => Array.fromAsync(server.context.uploads.list(), ({ repository, size }) => ({ repository, size })),
    addBlob: (repository, bytes) => {
      const digest = digestOf(bytes);
      driver.putSync(treePaths.blobPath(digest), bytes.slice());
      return hold(repository, digest);
    },
    addContent: (repository, { descriptor: { digest }, content }) => {
      driver.putSync(treePaths.blobPath(digest), content);
      return hold(repository, digest);
    },
    addManifest: (repository, { mediaType, bytes }, tag) => {
      const digest = digestOf(bytes);
      driver.putSync(treePaths.blobPath(digest), bytes.slice());
      if (typeInside(bytes) !== mediaType) driver.putSync(treePaths.typePath(repository, digest), encode(mediaType));
      link(treePaths.revisionFolder(repository, digest), digest);
      if (tag !== undefined) setTag(repository, tag, digest);
      return digest;
    },
    addTags: (repository, names, digest = nobody) => {
      for (const name of names) setTag(repository, name, digest);
    },
    dropUploads: async () => void (await server.context.uploads.purge(Number.POSITIVE_INFINITY)),
  };
};
