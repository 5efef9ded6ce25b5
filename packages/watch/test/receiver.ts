import { type Listener, listen } from "@dray/testkit";
import { bytesBody, collect } from "dray/content";
import { type HeaderPairs, header } from "dray/http";

/** A request as it came. */
export interface Received {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What it is answered with. Default: 200 with `{}`. */
export interface Reply {
  readonly status?: number;
  readonly headers?: HeaderPairs;
  readonly body?: string;
}

/** A server that keeps what it is sent, and answers as a test says. */
export const receiver = async (
  replyTo: (request: Received) => Reply = () => ({}),
): Promise<Listener & { readonly received: Received[] }> => {
  const received: Received[] = [];
  const listener = await listen(async ({ method, target, headers, body }) => {
    const chunks = body !== undefined && "chunks" in body ? body.chunks : undefined;
    const bytes = chunks === undefined ? new Uint8Array() : await collect(chunks, 1 << 20, "the request");
    const names = new Set(headers.map(([name]) => name.toLowerCase()));
    const request = {
      method,
      target,
      headers: Object.fromEntries([...names].map((name) => [name, header(headers, name) ?? ""])),
      body: new TextDecoder().decode(bytes),
    };
    received.push(request);
    const { status = 200, headers: pairs = [], body: said = "{}" } = replyTo(request);
    return { status, headers: pairs, url: target, body: bytesBody(new TextEncoder().encode(said)) };
  });
  return Object.assign(listener, { received });
};
