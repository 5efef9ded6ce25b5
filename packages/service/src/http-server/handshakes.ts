import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { encodeJson } from "dray/oci";
import { addressOfSocket } from "./forwarded.ts";

/** A connection that never came so far as a request, because its TLS handshake failed. */
export interface FailedHandshake {
  /** Address and port, or `unix`. */
  readonly peer: string;
  /** Why; Bun does not tell. */
  readonly reason?: string;
  /** Whether the client spoke http, and has been told so. */
  readonly spokeHttp: boolean;
}

/**
 * Tells of handshakes that fail, and answers who speaks http where https is spoken. Under Bun, which tells neither the reason nor lets
 * anything be said, such a client sees its connection end.
 */
export const hearHandshakes = (server: Server, tell: (failed: FailedHandshake) => void): void => {
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const peer = addressOfSocket(socket);
    const spokeHttp = error.code === "ERR_SSL_HTTP_REQUEST" && answered(socket);
    tell({ peer, reason: error.message, spokeHttp });
  });
  // Bun shows a connection when its handshake is over, well or not.
  server.on("connection", (socket: Socket & { readonly _secureEstablished?: boolean }) => {
    if (socket._secureEstablished === false) tell({ peer: addressOfSocket(socket), spokeHttp: false });
  });
};

/** Writes below the TLS that failed, as the client reads. */
const answered = (socket: TLSSocket): boolean => {
  const { _parent: below } = socket as { readonly _parent?: Socket };
  if (below?.writable !== true) return false;
  below.write(spokenHttp);
  return true;
};

const body = encodeJson({
  errors: [
    { code: "UNSUPPORTED", message: "http was spoken to a port that speaks https; ask by https://", detail: null },
  ],
});
const spokenHttp = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.byteLength}\r\nConnection: close\r\n\r\n`,
  ),
  body,
]);
