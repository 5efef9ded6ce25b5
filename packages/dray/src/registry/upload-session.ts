import type { Cancel, OnEvent } from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type HttpResponse, header, isTransient, type RetryBudget } from "../http/index.ts";
import { algorithmOf, type Descriptor, type Digest, type DigestAlgorithm, parseDigest } from "../oci/index.ts";
import { type Call, callIn, pathIn, type Repo } from "./api.ts";

/** An upload that a registry has opened, and how far it is. */
export interface UploadSession {
  /** Where it goes on. It changes with every answer: a registry may keep its state in the query. */
  readonly url: URL;
  /** Bytes that the registry has. */
  readonly offset: number;
  /** Bytes that a chunk must have, unless it is the last. */
  readonly leastChunk: number;
  /** What came before was not sent in this run, or not acknowledged by an answer. */
  readonly continued: boolean;
  /** It was opened in place of a mount: a registry that does so badly may open a plain one well. */
  readonly mounted?: boolean;
  /** Another host than the registry's has said where it goes on: nothing of ours is sent there, not even back to the registry. */
  readonly foreign?: boolean;
}

/** What an attempt to mount a blob has come to that is to be uploaded now. */
export interface TriedMount {
  /** The registry opened one to upload it instead. */
  readonly session?: UploadSession | undefined;
  readonly retryBudget: RetryBudget;
}

/** Who wants to know what, for the requests of one upload. */
export interface UploadOptions {
  /** What is uploaded, for messages: the digest, or what takes its place before that is known. */
  readonly reference: string;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** What repetitions are drawn from, whichever request of the upload they are of. */
  readonly retryBudget: RetryBudget;
}

export const uploading = (repo: Repo, options: UploadOptions): Omit<Call, "method" | "target"> => ({
  ...callIn(repo, "pull,push", "pushing", options.reference),
  signal: options.signal,
  onEvent: options.onEvent,
  retryBudget: options.retryBudget,
});

/** Where uploads begin, with what the registry may want to know. */
export const uploadsPath = (repo: Repo, query: Readonly<Record<string, string | undefined>> = {}): string => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // Digests and repositories hold nothing that a query must escape, and some registries do not unescape.
  return (
    pathIn(repo, "blobs/uploads/") + given.map(([key, value], at) => `${at === 0 ? "?" : "&"}${key}=${value}`).join("")
  );
};

/** Uploads that end in another algorithm than the usual one say so at their beginning. @see distribution-spec, "Pushing a blob in chunks" */
export const announced = (algorithm: DigestAlgorithm): { "digest-algorithm"?: string } =>
  algorithm === "sha256" ? {} : { "digest-algorithm": algorithm };

export const openSession = async (
  repo: Repo,
  algorithm: DigestAlgorithm,
  options: UploadOptions,
): Promise<UploadSession> => {
  const target = uploadsPath(repo, announced(algorithm));
  return opened(repo, await repo.api.ask({ ...uploading(repo, options), method: "POST", target }, 202));
};

/**
 * Asks for content that the registry may hold already, here or in the repository `from`; a registry that does not have
 * it, or does not tell, opens a session instead.
 * @returns `true` where the content is in this repository now, `false` where the registry would do neither.
 */
export const mountOrOpen = async (
  repo: Repo,
  digest: Digest,
  from: string | undefined,
  options: UploadOptions,
): Promise<UploadSession | boolean> => {
  const call = uploading(repo, options);
  const scopes = [...call.scopes, ...(from === undefined ? [] : [`repository:${from}:pull`])];
  const target = uploadsPath(repo, { mount: digest, from, ...announced(algorithmOf(digest)) });
  const response = await repo.api.send({ ...call, scopes, method: "POST", target, retry: false });
  if (response.status === 202) return { ...(await opened(repo, response)), mounted: true };
  await response.body.discard();
  // It is tried once, and is a failure of this content like any other.
  if (isTransient(response.status)) options.retryBudget.draw();
  return response.status === 201;
};

/** Whether a blob of one repository can be asked for in another: of the same registry. */
export const mayMount = (repo: Repo, source: Repo): boolean =>
  source.api.registry === repo.api.registry && source.name !== repo.name;

/**
 * Takes a blob over from another repository of the same registry, without moving its bytes.
 * @returns `true` where it is there now; a session where the registry opened one to upload it instead; `false` where
 * it can only be uploaded. A mount is a shortcut: whatever goes wrong with it, the long way is still open.
 */
export const mountBlob = async (
  repo: Repo,
  descriptor: Descriptor,
  source: Repo,
  retryBudget: RetryBudget,
  { signal }: Cancel = {},
): Promise<UploadSession | boolean> => {
  if (!mayMount(repo, source)) return false;
  const digest = parseDigest(descriptor.digest);
  try {
    return await mountOrOpen(repo, digest, source.name, { reference: digest, signal, retryBudget });
  } catch (error) {
    throwIfAborted(signal);
    if (isDrayError(error)) return false;
    throw error;
  }
};

/** The session that a 202 answers with. */
export const opened = async (repo: Repo, response: HttpResponse): Promise<UploadSession> => {
  await response.body.discard();
  const least = Number(header(response.headers, "OCI-Chunk-Min-Length") ?? 0);
  const place = await goesOnAt(repo, response);
  const { host } = new URL(response.url);
  if (place === undefined)
    throw new DrayError("REGISTRY", `${host} opened an upload without saying where (no Location)`);
  return { ...place, offset: 0, leastChunk: Number.isSafeInteger(least) && least > 0 ? least : 0, continued: false };
};

/**
 * Asks a session how far it is.
 * @returns `undefined` where the registry does not know it any more.
 */
export const askSession = async (
  repo: Repo,
  session: UploadSession,
  options: UploadOptions,
): Promise<UploadSession | undefined> => {
  const { url: target, foreign } = session;
  const response = await repo.api.send({ ...uploading(repo, options), method: "GET", target, foreign });
  await response.body.discard();
  if (response.status !== 204 && response.status !== 200 && response.status !== 202) return undefined;
  const offset = acknowledged(response) ?? 0;
  // "0-0" stands for one byte and for none. To begin again costs nothing then, and leaves no doubt.
  return offset <= 1
    ? undefined
    : { ...session, ...(await goesOnAt(repo, response, session)), offset, continued: true };
};

/** Bytes that the registry says it has: one past the end of `Range: 0-N`. `undefined` where it says nothing. */
export const acknowledged = ({ headers }: HttpResponse): number | undefined => {
  const range = /^(?:bytes[= ])?\s*0-([0-9]+)$/.exec(header(headers, "Range")?.trim() ?? "");
  return range === null ? undefined : Number(range[1]) + 1;
};

/**
 * Where a session goes on: relative to the URL that answered in the end. A registry behind a proxy that ends TLS may not
 * know that its clients speak https; what begins in secret goes on in secret.
 * @throws DrayError `ADDRESS_REFUSED` where it leads from https to plain http on another host.
 */
export const goesOnAt = async (
  repo: Repo,
  { headers, url }: HttpResponse,
  { foreign = false }: Pick<UploadSession, "foreign"> = {},
): Promise<Pick<UploadSession, "url" | "foreign"> | undefined> => {
  const location = header(headers, "Location");
  if (location === undefined || !URL.canParse(location, url)) return undefined;
  const [found, base] = [new URL(location, url), new URL(url)];
  const { registry } = repo.api;
  if (base.protocol === "https:" && found.protocol === "http:") {
    if (found.hostname !== base.hostname) {
      const message = `${registry} leads the upload from https to http at ${found.host} (Location), where it could be read and changed on the way`;
      throw new DrayError("ADDRESS_REFUSED", message, { registry, host: found.host });
    }
    found.protocol = "https:";
    found.port = base.port;
  }
  return defined({ url: found, foreign: foreign || base.host !== new URL(await repo.api.origin()).host || undefined });
};

/** The URL that ends an upload. The query is the registry's own and stays as it is, byte for byte. */
export const commitUrl = (location: URL, digest: Digest): URL => {
  const url = new URL(location);
  const others = url.search
    .slice(1)
    .split("&")
    .filter((part) => part !== "" && !part.startsWith("digest="));
  url.search = [...others, `digest=${encodeURIComponent(digest)}`].join("&");
  return url;
};
