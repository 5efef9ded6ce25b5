import { createHash } from "node:crypto";
import { collect } from "dray/content";
import { DrayError, throwIfAborted } from "dray/errors";
import { type Connection, type ConnectionOptions, connection, type HeaderPairs, responseError } from "dray/http";
import { type Digest, isDigest, parseDigest } from "dray/oci";
import type { Repository } from "../../repository.ts";

/** When a tag was pushed, as its registry says. */
export interface PushedTag {
  readonly tag: string;
  /** What it named then, where that is said. */
  readonly digest?: Digest;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * Asks the API of a registry's own, which is none of the distribution specification, when tags of a repository were pushed: the newest first, where it
 * lets that be asked for. Pages are asked for as they are read, so whoever has what was wanted stops.
 * @throws DrayError `REGISTRY`, `NOT_FOUND`, `UNAUTHORIZED`, `RATE_LIMITED`, `NETWORK` and the like
 */
export type PushTimes = (
  repository: Repository,
  options?: { readonly signal?: AbortSignal | undefined },
) => AsyncIterable<PushedTag>;

/** How the API is reached. */
export interface PushTimesOptions extends ConnectionOptions {
  /** Where the API is. Default: the registry's own, or for Docker Hub and GitHub that of the service. */
  readonly api?: string | undefined;
  /** Sent with each request, to that API alone. */
  readonly headers?: HeaderPairs | undefined;
}

/** Bytes of a page at most. */
const largest = 8 * 1024 * 1024;
/** Pages at most: hundreds of thousands of tags. */
const mostPages = 5_000;

/** Pages of JSON, one after the other, for as long as `next` names one of the same origin. */
export async function* pages<Page>(
  { api = "", headers = [], ...options }: PushTimesOptions,
  first: string,
  next: (page: Page, number: number) => string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Page> {
  const base = new URL(api);
  const wire: Connection = connection({ ...options, registry: base.host });
  const seen = new Set<string>();
  const isNew = (text: string): boolean => seen.size < seen.add(text).size;
  try {
    for (let [target, number]: [string | undefined, number] = [first, 1]; target !== undefined; number++) {
      throwIfAborted(signal);
      const url = URL.canParse(target, base.href) ? new URL(target, base) : undefined;
      if (url?.origin !== base.origin || !isNew(url.href) || number > mostPages) throw endless(base);
      const { page, mark } = await pageAt<Page>(wire, url, headers, signal);
      // A server that knows no pages gives the same one under each address.
      if (!isNew(mark)) throw endless(base);
      yield page;
      target = next(page, number);
    }
  } finally {
    await wire.close();
  }
}

const endless = ({ host }: URL): DrayError =>
  new DrayError("REGISTRY", `${host} leads from page to page without an end, or elsewhere`);

const pageAt = async <Page>(
  wire: Connection,
  url: URL,
  headers: HeaderPairs,
  signal: AbortSignal | undefined,
): Promise<{ readonly page: Page; readonly mark: string }> => {
  const asked: HeaderPairs = [["Accept", "application/json"], ["User-Agent", "dray"], ...headers];
  const response = await wire({
    method: "GET",
    origin: url.origin,
    target: `${url.pathname}${url.search}`,
    headers: asked,
    signal,
  });
  if (response.status !== 200) throw await responseError(response, `reading ${url.pathname}`, { advice: false });
  const bytes = await collect(response.body.chunks, largest, `the answer of ${url.host}`);
  try {
    const page = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as Page;
    return { page, mark: createHash("sha256").update(bytes).digest("hex") };
  } catch {
    throw new DrayError("REGISTRY", `${url.host} answered ${url.pathname} with something that is no JSON`);
  }
};

/** A tag and its time, where both make sense; what an API leaves out or makes up is no time. */
export const pushed = (tag: unknown, time: unknown, digest?: unknown): PushedTag | undefined => {
  const at = typeof time === "number" ? time : typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (typeof tag !== "string" || tag === "" || !Number.isFinite(at)) return undefined;
  return { tag, time: at, ...(typeof digest === "string" && isDigest(digest) ? { digest: parseDigest(digest) } : {}) };
};

/** What should be a list of objects. */
export const objectsIn = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];
