import type { IncomingMessage, ServerResponse } from "node:http";
import { isDrayError } from "dray/errors";
import type { HttpRequest, HttpResponse } from "dray/http";
import { bare, HttpError, type ServedBody, withError } from "../response/index.ts";
import type { Context } from "./context.ts";
import { Exchange, malformed } from "./exchange.ts";
import { endOf } from "./forwarded.ts";
import { Incoming } from "./incoming.ts";
import { type Connected, connection } from "./resting.ts";

/** A body of at most so many bytes that nobody read is read away, so that the connection can go on. */
const small = 64 * 1024;

/**
 * An answer in memory of at most so many bytes is written at once. A larger one goes in pieces of as many, each when the one before has
 * left: a client that does not read holds one, and not a copy of all.
 */
const piece = 64 * 1024;

/** Listens to the requests of a server. `waits`: their clients wait for `100 Continue`. */
export const requestListener =
  (context: Context, waits: boolean) =>
  (message: IncomingMessage, response: ServerResponse): void =>
    void serve(context, message, response, waits);

/** One request, from its headers to the end of its answer. Never rejects. */
const serve = async (
  context: Context,
  message: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
): Promise<void> => {
  const { silences } = context;
  const socket: Connected = message.socket;
  const at = (socket[connection] ??= silences.resting.meet(socket, endOf(message, context)));
  // What comes after a request that could not be understood, or whose body nobody read to its end, is no request.
  if (at.ending) return;
  const found = malformed(message, context.limits.target);
  const exchange = new Exchange(context, message, response, { end: at, waits, hasBody: found.hasBody });
  const { request } = exchange;
  // A socket that breaks is heard of elsewhere; without a listener the event would end the process.
  message.on("error", ignore);
  response.on("error", ignore);
  context.answering++;
  at.open++;
  const over = (): void => {
    at.open--;
    at.restsSince = silences.now;
  };
  if (response.destroyed) over();
  else response.on("close", over);
  try {
    let answer: HttpResponse;
    if (found.error !== undefined) {
      at.ending = true;
      answer = withError(request, found.error);
    } else if (message.url === "*" && message.method === "OPTIONS") answer = bare(request, 204);
    else
      try {
        if (found.hasBody) await exchange.incoming.started();
        answer = await context.handler(request);
      } catch (error) {
        // Whoever throws this means the connection: a client that went away, or a test that wants it cut.
        if (isDrayError(error, "NETWORK") || response.destroyed) return exchange.cut();
        context.onError(error, request);
        answer = withError(request, new HttpError(500, "UNKNOWN", "the server failed; its log says why"));
      }
    if (!found.hasBody) return await send(exchange, request, answer, false);
    const more = found.closes || unread(exchange);
    if (more) at.ending = true;
    await send(exchange, request, answer, more);
    message.resume();
  } catch (error) {
    if (!response.destroyed) context.onError(error, request);
    exchange.cut();
  } finally {
    context.answering--;
  }
};

/** Whether more of the request's body may come than is worth reading. */
const unread = ({ message, waits }: Exchange): boolean => {
  if (message.complete || message.readableEnded) return false;
  return waits || !(Number(message.headers["content-length"]) <= small);
};

const ignore = (): void => {};

/** A body of another length than was announced: the client must neither wait for the rest nor take it for the next answer. */
class WrongLength extends Error {}

/**
 * Sends an answer. `more` says that the client may still be sending a body, which nobody reads: the connection ends then, but not
 * before the client could see the answer.
 */
const send = async (exchange: Exchange, request: HttpRequest, answer: HttpResponse, more: boolean): Promise<void> => {
  const { response, context } = exchange;
  const body: ServedBody = answer.body;
  const { status } = answer;
  const closes = more || context.stopping;
  const flat: string[] = [];
  let said = Number.NaN;
  for (const [name, value] of answer.headers) {
    if (name.length === 14 && name.toLowerCase() === "content-length") said = Number(value);
    else if (closes && name.length === 10 && name.toLowerCase() === "connection") continue;
    flat.push(name, value);
  }
  if (closes) flat.push("Connection", "close");
  const bare = request.method === "HEAD" || status === 204 || status === 304;
  const { bytes } = body;
  if (Number.isNaN(said) && !bare) {
    said = bytes?.byteLength ?? body.length ?? Number.NaN;
    if (!Number.isNaN(said)) flat.push("Content-Length", String(said));
  }
  try {
    if (response.destroyed) return await body.discard();
    response.writeHead(status, flat);
  } catch (error) {
    // Headers that cannot be sent. What the body holds must go all the same.
    await body.discard();
    throw error;
  }
  if (bare) {
    if (more) await linger(exchange);
    response.end();
    return body.discard();
  }
  if (bytes !== undefined && bytes.byteLength === said && said <= piece && !more) {
    response.end(bytes);
    if (response.writableLength > 0) {
      exchange.watch();
      exchange.waitsSince = context.silences.now;
      const held = context.answers.hold(response.writableLength);
      response.once("close", () => held.free());
    }
    return;
  }
  exchange.watch();
  const held = bytes && context.answers.holdShared(bytes);
  try {
    await pour(exchange, body, said);
  } catch (error) {
    if (!(error instanceof Gone)) {
      if (!response.destroyed) context.onError(error, request);
      await flushed(exchange);
    }
    exchange.cut();
    return;
  } finally {
    held?.free();
  }
  if (more && !Number.isNaN(said)) await linger(exchange);
  response.end();
};

/** The client is not there any more. */
class Gone extends Error {}

const pour = async (exchange: Exchange, body: ServedBody, said: number): Promise<void> => {
  const { response } = exchange;
  let sent = 0;
  const write = (chunk: Uint8Array): Promise<void> => {
    clearImmediate(early);
    sent += chunk.byteLength;
    if (sent > said) {
      const fits = chunk.subarray(0, chunk.byteLength - (sent - said));
      return written(exchange, fits).then(() => {
        throw new WrongLength(`a body of more bytes than the ${said} announced`);
      });
    }
    return written(exchange, chunk);
  };
  // Headers travel with the first bytes, but do not wait for a body that stalls.
  const early = setImmediate(() => response.flushHeaders());
  try {
    if (body.bytes !== undefined) await pieces(exchange, body.bytes, write);
    else if (body.pour !== undefined) await body.pour(write);
    else for await (const chunk of body.chunks) await write(chunk);
  } finally {
    clearImmediate(early);
  }
  if (sent < said) throw new WrongLength(`a body of ${sent} bytes instead of the ${said} announced`);
};

/** One after the other, each counted while it lies in the socket as well; small ones where others have the memory. */
const pieces = async (
  { context: { answers } }: Exchange,
  bytes: Uint8Array,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<void> => {
  for (let at = 0; at < bytes.byteLength; ) {
    const chunk = bytes.subarray(at, at + (answers.isSpare(piece) ? piece : piece / 4));
    const held = answers.hold(chunk.byteLength);
    try {
      await write(chunk);
    } finally {
      held.free();
    }
    at += chunk.byteLength;
  }
};

/** Resolves when the bytes have left this process; rejects when the client has gone. */
const written = (exchange: Exchange, chunk: Uint8Array): Promise<void> => {
  const turn = exchange.context.outgoing.pass(chunk.byteLength);
  return turn === undefined ? put(exchange, chunk) : turn.then(() => put(exchange, chunk));
};

/** Not by `drain`, which a client that vanished never gives. Between a socket's end and its answer's, Node forgets who wrote. */
const put = (exchange: Exchange, chunk: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    const { message, response } = exchange;
    if (response.destroyed || message.socket.destroyed) return reject(new Gone("the client went away"));
    exchange.waitsSince = exchange.context.silences.now;
    response.write(chunk, (error) => {
      exchange.waitsSince = -1;
      if (error) reject(new Gone("the client went away", { cause: error }));
      else resolve();
    });
  });

/** What was written so far is on its way, so that a cut comes after it and not instead of it. */
const flushed = (exchange: Exchange): Promise<void> => put(exchange, new Uint8Array(0)).catch(() => {});

/**
 * Reads away what a client still sends, so that it sees the answer, which lies before it, instead of a connection reset by bytes
 * that nobody took. Until it stops, or for as long as allowed.
 */
const linger = (exchange: Exchange): Promise<void> => {
  exchange.response.flushHeaders();
  // Whoever read before has left off, and so has his turn.
  void exchange.incoming.return();
  return new Incoming(exchange).discard(exchange.context.limits.linger);
};
