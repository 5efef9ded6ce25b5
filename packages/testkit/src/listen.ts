import { type Listener, type ListenOptions, listen as serve } from "@dray/service/http-server";
import { bytesBody } from "dray/content";
import { isDrayError } from "dray/errors";
import type { Handler, HttpRequest, HttpResponse } from "dray/http";

export type { Listener, ListenOptions };

/**
 * Serves a handler as the registry server does, except that a fault of the handler is said aloud, or a test would look for it in the client.
 * @example
 * const server = await listen(memoryRegistry().handler);
 * await server.close();
 */
export const listen = (handler: Handler, options: ListenOptions = {}): Promise<Listener> =>
  serve((request) => handler(request).catch((error: unknown) => fault(request, error)), options);

const fault = (request: HttpRequest, error: unknown): HttpResponse => {
  // It means the connection.
  if (isDrayError(error, "NETWORK")) throw error;
  const bytes = new TextEncoder().encode(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return { status: 500, headers: [["Content-Type", "text/plain"]], url: request.target, body: bytesBody(bytes) };
};
