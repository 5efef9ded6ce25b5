import type { Server } from "node:http";
import type { Socket } from "node:net";

/** What the runtime knows of a request that its parser did not take. */
interface ParseError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

/**
 * Answers what the parser does not take: as the runtime would, but for `OPTIONS *`, which asks for the server as a whole and comes from
 * balancers that look whether it lives. Bun's parser refuses that target; under Node it is a request like any other.
 */
export const answerUnparsed = (server: Server): void => {
  server.on(
    "clientError",
    (error: ParseError, socket: Socket & { readonly _httpMessage?: { headersSent?: boolean } }) => {
      // In the middle of an answer nothing else can be said.
      if (socket.writable && socket._httpMessage?.headersSent !== true)
        socket.write(`HTTP/1.1 ${answerTo(error)}\r\nConnection: close\r\n\r\n`);
      socket.destroySoon();
    },
  );
};

/** Status and what belongs to it. */
const answerTo = ({ code, rawPacket }: ParseError): string => {
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return "413 Payload Too Large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "408 Request Timeout";
  return asksForAll.test(rawPacket?.subarray(0, 32).toString("latin1") ?? "") ? "204 No Content" : "400 Bad Request";
};

const asksForAll = /^OPTIONS \* HTTP\/1\.[01]\r?\n/;
