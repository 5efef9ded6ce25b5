import { readFile } from "node:fs/promises";
import { bytesContent, collect } from "dray/content";
import { DrayError } from "dray/errors";
import { connection } from "dray/http";

/** As much of a request of Amazon's libraries as goes over the wire. */
interface AmazonRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** How Amazon's libraries want their answer. */
interface AmazonAnswer {
  readonly response: { statusCode: number; headers: Record<string, string>; body: Uint8Array };
}

/** What carries the requests of Amazon's libraries. */
export interface AmazonWire {
  handle(request: AmazonRequest, options?: { readonly abortSignal?: unknown }): Promise<AmazonAnswer>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
}

const largestAnswer = 1 << 20;

/**
 * Lets Amazon's libraries ask over connections of ours: their own know no proxy and trust no authority of the system. Each request has one
 * to itself, since the next comes hours later.
 */
export const amazonWire: AmazonWire = {
  handle: async ({ method, protocol, hostname, port, path, query = {}, headers, body }, { abortSignal } = {}) => {
    const send = connection({ ca: await authorities() });
    const question = questionOf(query);
    try {
      const response = await send({
        method,
        origin: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`,
        target: `${path}${question === "" ? "" : `?${question}`}`,
        headers: Object.entries(headers).filter(([name]) => !/^(?:host|content-length)$/i.test(name)),
        ...(body === undefined || body === null ? {} : { body: bytesContent(bytesOf(body)) }),
        ...(abortSignal instanceof AbortSignal ? { signal: abortSignal } : {}),
      });
      const bytes = await collect(response.body.chunks, largestAnswer, `the answer of ${hostname}`);
      const named = response.headers.map(([name, value]) => [name.toLowerCase(), value]);
      return { response: { statusCode: response.status, headers: Object.fromEntries(named), body: bytes } };
    } finally {
      await send.close();
    }
  },
  updateHttpClientConfig: () => {},
  httpHandlerConfigs: () => ({}),
};

/** Authorities that Amazon's other tools trust besides the usual ones. */
const authorities = async (): Promise<string | undefined> => {
  const file = process.env["AWS_CA_BUNDLE"];
  if (!file) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new DrayError("CONFIG_INVALID", `cannot read ${file}, which AWS_CA_BUNDLE names`, { cause });
  }
};

const bytesOf = (body: unknown): Uint8Array => {
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return new TextEncoder().encode(body);
  throw new TypeError("a request to Amazon has a body that is neither text nor bytes");
};

const questionOf = (query: NonNullable<AmazonRequest["query"]>): string =>
  Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((each) => [name, each] as const))
    .map(([name, value]) => (value === null ? encoded(name) : `${encoded(name)}=${encoded(String(value))}`))
    .join("&");

/** As it is signed: RFC 3986, which is stricter than JavaScript. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
