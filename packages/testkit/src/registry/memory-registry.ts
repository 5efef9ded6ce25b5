import type { Content } from "dray/content";
import type { Handler, HttpRequest, HttpResponse } from "dray/http";
import { type Descriptor, type Digest, digestOf } from "dray/oci";
import { RequestLog } from "../log.ts";
import { refuse, respond, respondJson } from "../respond.ts";
import { splitTarget } from "../target.ts";
import type { Access } from "../tokens/index.ts";
import { challengeOf } from "./access.ts";
import { blob } from "./blobs.ts";
import type { Call } from "./call.ts";
import { catalog, tags } from "./listings.ts";
import { manifest } from "./manifests.ts";
import type { MemoryRegistryOptions } from "./options.ts";
import { referrers } from "./referrers.ts";
import { type Route, routeOf } from "./route.ts";
import { partsContent } from "./session.ts";
import {
  emptyState,
  manifestDigest,
  repositoryOf,
  type StoredBlob,
  type StoredManifest,
  setTag,
  sortedTags,
  visibleBlob,
} from "./state.ts";
import { beginUpload, uploadSession } from "./uploads.ts";

/** A registry, and a way round its API for tests that prepare or look. */
export interface MemoryRegistry {
  readonly handler: Handler;
  /** Every request that came to `handler`. */
  readonly log: RequestLog;
  /** Names of repositories, sorted. */
  repositories(): string[];
  /** Names of tags, sorted; none where there is no such repository. */
  tags(repository: string): readonly string[];
  /** A manifest by tag or digest. */
  manifest(repository: string, name: string): (StoredManifest & { readonly digest: Digest }) | undefined;
  /** A blob that the repository has. `content` is missing where it was hashed and dropped. */
  blob(repository: string, digest: Digest): StoredBlob | undefined;
  /** Upload sessions that are open. */
  uploads(): { repository: string; size: number }[];
  /** Puts a blob there. */
  addBlob(repository: string, bytes: Uint8Array): Digest;
  /** Puts a blob there that is made as it is read. The descriptor is believed. */
  addContent(repository: string, blob: { descriptor: Descriptor; content: Content }): Digest;
  /** Puts a manifest there, under its digest and perhaps a tag. Its children need not exist. */
  addManifest(repository: string, manifest: StoredManifest, tag?: string): Digest;
  /** Adds tags without bodies, to be listed: 100,000 cost a name each. With a digest they all stand for that manifest. */
  addTags(repository: string, names: Iterable<string>, digest?: Digest): void;
  /** Forgets every open upload session. */
  dropUploads(): void;
}

const nobody: Digest = digestOf(new Uint8Array(0));

/**
 * A registry in memory: a `Handler` to plug in where a client has its connection, or to serve with `listen`.
 * @example
 * const registry = memoryRegistry({ referrers: false });
 * const { origin } = await listen(registry.handler);
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export const memoryRegistry = (options: MemoryRegistryOptions = {}): MemoryRegistry => {
  const state = emptyState();
  const log = new RequestLog(options.now);
  let uploads = 0;
  const newId = (): string => `upload-${++uploads}`;

  const answer: Handler = async (request) => {
    request.signal?.throwIfAborted();
    const { path, query } = splitTarget(request.target);
    const route = routeOf(path);
    const call: Call = { request, query, state, options, newId };
    const challenge = challengeOf(options.access, request, accessFor(route, request.method, query));
    const response =
      challenge === undefined
        ? await dispatch(call, route)
        : refuse(request, 401, "UNAUTHORIZED", "authentication is needed", { "WWW-Authenticate": challenge });
    return {
      ...response,
      headers: [...response.headers, ["Docker-Distribution-Api-Version", "registry/2.0"]],
    };
  };

  return {
    handler: log.middleware(answer),
    log,
    repositories: () => [...state.repositories.keys()].sort(),
    tags: (repository) => {
      const held = state.repositories.get(repository);
      return held === undefined ? [] : sortedTags(held);
    },
    manifest: (repository, name) => {
      const held = state.repositories.get(repository);
      const digest = manifestDigest(held, name);
      const found = digest && held?.manifests.get(digest);
      return digest && found && { ...found, digest };
    },
    blob: (repository, digest) => visibleBlob(state, repository, digest),
    uploads: () => [...state.uploads.values()].map(({ repository, size }) => ({ repository, size })),
    addBlob: (repository, bytes) => {
      const digest = digestOf(bytes);
      state.blobs.set(digest, { size: bytes.byteLength, content: partsContent([bytes], bytes.byteLength) });
      repositoryOf(state, repository).blobs.add(digest);
      return digest;
    },
    addContent: (repository, { descriptor, content }) => {
      state.blobs.set(descriptor.digest, { size: descriptor.size, content });
      repositoryOf(state, repository).blobs.add(descriptor.digest);
      return descriptor.digest;
    },
    addManifest: (repository, { mediaType, bytes }, tag) => {
      const digest = digestOf(bytes);
      const held = repositoryOf(state, repository);
      held.manifests.set(digest, { mediaType, bytes });
      if (tag !== undefined) setTag(held, tag, digest);
      return digest;
    },
    addTags: (repository, names, digest = nobody) => {
      const held = repositoryOf(state, repository);
      for (const name of names) setTag(held, name, digest);
    },
    dropUploads: () => state.uploads.clear(),
  };
};

const dispatch = (call: Call, route: Route): HttpResponse | Promise<HttpResponse> => {
  const { request } = call;
  switch (route.kind) {
    case "ping":
      return respondJson(request, 200, {});
    case "catalog":
      return reading(request) ?? catalog(call);
    case "tags":
      return reading(request) ?? tags(call, route.repository);
    case "referrers":
      return reading(request) ?? referrers(call, route);
    case "manifest":
      return manifest(call, route);
    case "blob":
      return blob(call, route);
    case "uploads":
      return request.method === "POST" ? beginUpload(call, route.repository) : notSupported(request);
    case "upload":
      return uploadSession(call, route);
    case "invalid":
      return refuse(request, 400, "NAME_INVALID", `${route.repository} is no name of a repository`);
    case "unknown":
      return respond(request, 404);
  }
};

const reading = (request: HttpRequest): HttpResponse | undefined =>
  request.method === "GET" || request.method === "HEAD" ? undefined : notSupported(request);

const notSupported = (request: HttpRequest): HttpResponse =>
  refuse(request, 405, "UNSUPPORTED", `${request.method} is not supported here`);

/** What a token must allow. A mount needs leave to pull where the blob comes from, as with CNCF distribution. */
const accessFor = (route: Route, method: string, query: URLSearchParams): Access[] => {
  if (route.kind === "catalog") return [{ type: "registry", name: "catalog", actions: ["*"] }];
  if (!("repository" in route)) return [];
  const repository = (name: string, ...actions: string[]): Access => ({ type: "repository", name, actions });
  if (method === "DELETE" && route.kind !== "upload") return [repository(route.repository, "delete")];
  if (method === "GET" || method === "HEAD") {
    if (route.kind !== "upload") return [repository(route.repository, "pull")];
  }
  const from = query.get("mount") === null ? null : query.get("from");
  return [repository(route.repository, "pull", "push"), ...(from === null ? [] : [repository(from, "pull")])];
};
