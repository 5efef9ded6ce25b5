import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Body } from "dray/content";
import { isDrayError } from "dray/errors";
import type { Handler, Headers, HttpRequest, HttpResponse } from "dray/http";

export interface ListenOptions {
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Serves https; PEM. With `requestClientCert` only clients whose certificate `ca` signed are let in. */
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    readonly ca?: string;
    readonly requestClientCert?: boolean;
  };
}

export interface Listener {
  /** `http://127.0.0.1:41234` */
  readonly origin: string;
  /** `127.0.0.1:41234`, as a reference names the registry. */
  readonly host: string;
  readonly port: number;
  /** Ends every connection and the server. */
  close(): Promise<void>;
}

/**
 * Serves a handler on a socket. It knows no time-out, keeps raw targets and headers, says how long a body is where that
 * is known, and breaks the connection where the body fails: a client must never take a part for the whole.
 * @example
 * const server = await listen(memoryRegistry().handler);
 * await server.close();
 */
export const listen = async (handler: Handler, options: ListenOptions = {}): Promise<Listener> => {
  const { host = "127.0.0.1", port = 0, tls } = options;
  const scheme = tls === undefined ? "http" : "https";
  const settings = { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, maxHeaderSize: 64 * 1024 };
  const server: Server =
    tls === undefined
      ? createServer(settings)
      : createSecureServer({
          ...settings,
          key: tls.key,
          cert: tls.cert,
          ...(tls.ca === undefined ? {} : { ca: tls.ca }),
          ...(tls.requestClientCert ? { requestCert: true, rejectUnauthorized: true } : {}),
        });
  const serve = (message: IncomingMessage, response: ServerResponse, waits: boolean): void => {
    answer(handler, scheme, message, response, waits).catch(() => response.destroy());
  };
  server.on("request", (message, response) => serve(message, response, false));
  server.on("checkContinue", (message, response) => serve(message, response, true));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const name = `${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  return { origin: `${scheme}://${name}`, host: name, port: address.port, close: () => close(server) };
};

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const answer = async (
  handler: Handler,
  scheme: string,
  message: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
): Promise<void> => {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  // A socket that breaks is heard of by the signal; without a listener the event would end the process.
  message.on("error", () => {});
  response.on("error", () => {});
  let proceeded = !waits;
  const proceed = (): void => {
    if (proceeded) return;
    proceeded = true;
    response.writeContinue();
  };
  const request = requestOf(message, scheme, gone.signal, proceed);
  let answered: HttpResponse;
  try {
    answered = await handler(request);
  } catch (error) {
    if (isDrayError(error, "NETWORK") || gone.signal.aborted) {
      message.socket.destroy();
      return;
    }
    // A fault of the handler itself: said aloud, or a test would look for it in the client.
    response.writeHead(500, { "Content-Type": "text/plain" });
    response.end(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  // A client that was never told to go on does not send its body: the connection cannot be used again.
  if (!proceeded) response.setHeader("Connection", "close");
  await send(answered, message, response);
  message.resume();
};

const requestOf = (message: IncomingMessage, scheme: string, signal: AbortSignal, proceed: () => void): HttpRequest => {
  const { socket, headers, method = "GET", url = "/" } = message;
  const peer = socket.remoteAddress === undefined ? undefined : `${socket.remoteAddress}:${socket.remotePort}`;
  const body = bodyOf(message);
  return {
    method,
    origin: `${scheme}://${headers.host ?? ""}`,
    target: url,
    headers: pairs(message.rawHeaders),
    signal,
    proceed,
    ...(peer === undefined ? {} : { peer }),
    ...(body === undefined ? {} : { body }),
  };
};

const bodyOf = (message: IncomingMessage): Body | undefined => {
  const length = message.headers["content-length"];
  if (length === undefined && message.headers["transfer-encoding"] === undefined) return undefined;
  return {
    ...(length === undefined ? {} : { length: Number(length) }),
    // Whoever stops reading may still want to answer, so the socket stays.
    chunks: { [Symbol.asyncIterator]: () => message.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array> },
    discard: async () => void message.resume(),
  };
};

const pairs = (raw: readonly string[]): Headers =>
  Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] as string, raw[2 * i + 1] as string] as const);

const send = async (answered: HttpResponse, message: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { status, headers, body } = answered;
  response.statusCode = status;
  for (const [name, value] of headers) response.appendHeader(name, value);
  if (message.method === "HEAD" || status === 204 || status === 304) {
    response.end();
    await body.discard();
    return;
  }
  const said = Number(response.getHeader("Content-Length") ?? Number.NaN);
  let sent = 0;
  // Headers travel with the first bytes, but do not wait for a body that stalls.
  const early = setImmediate(() => response.flushHeaders());
  try {
    for await (const chunk of body.chunks) {
      clearImmediate(early);
      sent += chunk.byteLength;
      if (!response.write(chunk)) await drained(response);
      if (response.destroyed) return;
    }
  } catch {
    await flushed(response);
    response.destroy();
    return;
  }
  clearImmediate(early);
  response.end();
  // More or fewer bytes than announced: the client must not wait for the rest, nor take it for the next answer.
  if (!Number.isNaN(said) && said !== sent) response.once("finish", () => message.socket.destroySoon());
};

/** A client that vanishes never lets a response drain: wait for the end of it as well. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["drain", "close", "error"]) response.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) response.on(event, done);
    if (response.destroyed) done();
  });

/** What was written so far is on its way, so that a cut comes after it and not instead of it. */
const flushed = (response: ServerResponse): Promise<void> =>
  response.destroyed ? Promise.resolve() : new Promise((resolve) => response.write(new Uint8Array(0), () => resolve()));
