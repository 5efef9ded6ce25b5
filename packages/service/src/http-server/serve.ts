import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isDrayError } from "dray/errors";
import type { HttpResponse } from "dray/http";
import { HttpError, withError } from "../response/index.ts";
import type { Context } from "./context.ts";
import { Exchange } from "./exchange.ts";
import { malformed } from "./malformed.ts";
import { requestOf } from "./request.ts";
import { send } from "./send.ts";

/** A body of at most so many bytes that nobody read is read away, so that the connection can go on. */
const small = 64 * 1024;

/** One request, from its headers to the end of its answer. Never rejects. */
export const serve = async (
  context: Context,
  message: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
): Promise<void> => {
  const socket = message.socket as Ending;
  // What comes after a request that could not be understood, or whose body nobody read to its end, is no request.
  if (socket[ending]) return;
  const exchange = new Exchange(context, message, response, waits);
  // A socket that breaks is heard of elsewhere; without a listener the event would end the process.
  message.on("error", ignore);
  response.on("error", ignore);
  const found = malformed(message, context.limits.target);
  const request = requestOf(exchange, found.hasBody);
  try {
    let answer: HttpResponse;
    if (found.error !== undefined) {
      socket[ending] = true;
      answer = withError(request, found.error);
    } else
      try {
        answer = await context.handler(request);
      } catch (error) {
        // Whoever throws this means the connection: a client that went away, or a test that wants it cut.
        if (isDrayError(error, "NETWORK") || response.destroyed) return exchange.cut();
        context.onError(error, request);
        answer = withError(request, new HttpError(500, "UNKNOWN", "the server failed; its log says why"));
      }
    if (!found.hasBody) return await send(exchange, request, answer, false);
    const more = found.closes || unread(exchange);
    if (more) socket[ending] = true;
    await send(exchange, request, answer, more);
    message.resume();
  } catch (error) {
    if (!response.destroyed) context.onError(error, request);
    exchange.cut();
  }
};

/** Whether more of the request's body may come than is worth reading. */
const unread = ({ message, waits }: Exchange): boolean => {
  if (message.complete || message.readableEnded) return false;
  return waits || !(Number(message.headers["content-length"]) <= small);
};

/** Said of a connection that takes no more requests. */
const ending: unique symbol = Symbol("ending");
type Ending = Socket & { [ending]?: boolean };

const ignore = (): void => {};
