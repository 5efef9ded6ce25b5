import { type Body, bytesBody, type Content, collect } from "../content/index.ts";
import { type Handler, type HeaderPairs, header, isContent } from "./types.ts";

/** What is used of `fetch`: the one of Node, of Bun, of a worker, of undici with a dispatcher, or a function around one. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** What `fetch` is called with. */
export interface FetchInit {
  readonly method: string;
  readonly headers: [name: string, value: string][];
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Redirects are followed by Dray, with each hop's own credentials. */
  readonly redirect: "manual";
  readonly signal?: AbortSignal;
}

/** What is read of its answer. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: Iterable<[string, string]>;
  readonly body: FetchStream | null;
}

/** What is used of a stream of the web. */
export interface FetchStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** Bytes of a request's body at most: `fetch` announces no length for what it streams, which registries refuse, so a body lies in memory. */
const largestBody = 128 * 1024 * 1024;

/**
 * Carries requests by `fetch`, for runtimes without sockets and for programs that have their proxies, certificates or agents there. Set
 * `chunkSize` where blobs are pushed that are larger than memory allows: each request's body is held whole, 128 MiB at most. `timeouts`, `proxy`,
 * `ca`, `cert`, `key` and `skipTlsVerify` of `connect` act on nothing then: they are settings of that `fetch`. Browsers hide redirects, so registries
 * that keep blobs elsewhere cannot be read there.
 * @throws DrayError `LIMIT_EXCEEDED` for a larger body; what `fetch` throws, which `connect` takes for `NETWORK`
 * @example const registry = connect("ghcr.io", { connection: fetchConnection(fetch) });
 */
export const fetchConnection =
  (fetch: Fetch): Handler =>
  async ({ method, origin, target, headers, body, signal }) => {
    const url = origin + target;
    const bytes = body === undefined ? undefined : await bytesOf(body, signal);
    const response = await fetch(url, {
      method,
      headers: headers.filter(([name]) => !/^(?:content-length|expect|host)$/i.test(name)).map(([...pair]) => pair),
      redirect: "manual",
      ...(bytes === undefined ? {} : { body: bytes }),
      ...(signal === undefined ? {} : { signal }),
    });
    const answered = asSent([...response.headers]);
    return { status: response.status, headers: answered, url, body: bodyOf(response, method, answered) };
  };

const bytesOf = async (body: Body | Content, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks = isContent(body) ? body.open({ signal }) : body.chunks;
  return new Uint8Array(await collect(chunks, largestBody, "a body for fetch (set chunkSize)"));
};

/** `fetch` has taken a coding off: the length was that of the coded bytes. */
const asSent = (headers: HeaderPairs): HeaderPairs =>
  /^(?:identity)?$/i.test(header(headers, "content-encoding") ?? "")
    ? headers
    : headers.filter(([name]) => !/^content-(?:encoding|length)$/i.test(name));

const bodyOf = ({ body }: FetchResponse, method: string, headers: HeaderPairs): Body => {
  if (body === null || method === "HEAD") return bytesBody(new Uint8Array());
  const reader = body.getReader();
  const length = header(headers, "content-length");
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read())
        if (part.value !== undefined) yield part.value;
    } finally {
      await reader.cancel();
    }
  };
  return {
    length: length === undefined ? undefined : Number(length),
    chunks: chunks(),
    discard: () => reader.cancel().catch(() => {}),
  };
};
