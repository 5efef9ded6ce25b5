import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { createSecureContext } from "node:tls";
import { DrayError } from "dray/errors";
import type { Context } from "./context.ts";
import { hearHandshakes } from "./handshakes.ts";
import type { TlsOptions } from "./options.ts";
import { requestListener } from "./serve.ts";
import { answerUnparsed } from "./unparsed.ts";

/** A server of `node:http` with the limits of the listener, not listening yet. */
export const makeServer = (context: Context, tls: TlsOptions | undefined, connections: number | undefined): Server => {
  const { limits } = context;
  const settings = {
    // Never a limit on the whole of a request: a slow line may push a large blob for hours.
    requestTimeout: 0,
    headersTimeout: limits.headers,
    keepAliveTimeout: limits.keepAlive,
    connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headers / 2)),
    maxHeaderSize: limits.headerBytes,
    noDelay: true,
  };
  const server: Server =
    tls === undefined
      ? createServer(settings)
      : createSecureServer({ ...settings, ...secure(tls), handshakeTimeout: limits.headers });
  // Node would silently drop those beyond 2000; their size is limited as it is.
  server.maxHeadersCount = 0;
  if (connections !== undefined) server.maxConnections = connections;
  if (tls !== undefined) hearHandshakes(server, context.onHandshake);
  answerUnparsed(server);
  server.on("request", requestListener(context, false));
  server.on("checkContinue", requestListener(context, true));
  return server;
};

const secure = (tls: TlsOptions): ServerOptions => {
  const { cert, key, ca, clientAuth, minVersion = "TLSv1.2", ciphers } = tls;
  const options: ServerOptions = {
    cert,
    key,
    minVersion,
    ...(ca === undefined ? {} : { ca: ca as string }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(clientAuth === undefined ? {} : { requestCert: true, rejectUnauthorized: clientAuth === "require" }),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new DrayError("CONFIG_INVALID", `the TLS certificate or key cannot be used: ${(cause as Error).message}`, {
      cause,
    });
  }
  return options;
};

/** Shows new connections another certificate, where the runtime can; Bun cannot. */
export const showCertificate = (server: Server, tls: TlsOptions): boolean => {
  const { setSecureContext } = server as { setSecureContext?: (options: ServerOptions) => void };
  if (setSecureContext === undefined) return false;
  setSecureContext.call(server, secure(tls));
  return true;
};
