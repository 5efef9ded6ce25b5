import { bytesBody, collect } from "dray/content";
import { type Handler, type HeaderPairs, header } from "dray/http";

export interface ExchangeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Default `http://registry.test`. */
  readonly origin?: string;
  readonly signal?: AbortSignal;
}

/** An answer that was read to its end. */
export interface Exchange {
  readonly status: number;
  readonly headers: HeaderPairs;
  /** The first value of a header. */
  header(name: string): string | undefined;
  readonly bytes: Uint8Array;
  json(): unknown;
}

/**
 * One request to a handler, its answer in memory: for tests that look at the protocol itself.
 * @example (await exchange(registry.handler, "GET", "/v2/")).status // 200
 */
export const exchange = async (
  handler: Handler,
  method: string,
  target: string,
  { headers = {}, body, origin = "http://registry.test", signal }: ExchangeOptions = {},
): Promise<Exchange> => {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const response = await handler({
    method,
    origin,
    target,
    headers: Object.entries(headers),
    body: bytes && bytesBody(bytes),
    signal,
  });
  const answer = await collect(response.body.chunks, Number.MAX_SAFE_INTEGER, "answer");
  return {
    status: response.status,
    headers: response.headers,
    header: (name) => header(response.headers, name),
    bytes: answer,
    json: () => JSON.parse(new TextDecoder().decode(answer)) as unknown,
  };
};
