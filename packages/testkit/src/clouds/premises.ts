import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { bytesBody } from "dray/content";
import type { Handler } from "dray/http";
import { testCertificates } from "../certificates/index.ts";
import { temporaryFolder } from "../files/index.ts";
import { listen } from "../listen.ts";

/** Where hosts of the world are served on this machine. */
export interface Premises {
  /**
   * Variables by which a program finds its way here: a proxy for everything, whose tunnels all end here, the authority that vouches for it, and
   * a home without anybody's credentials.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Hosts that a tunnel was asked for, in order. */
  readonly tunnels: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves hosts by https under their own names, to whoever goes through the proxy of `env`. Any other host is refused.
 * @example
 * const here = await premises({ "api.ecr.eu-west-1.amazonaws.com": amazon().handler });
 * await finish(["docker-credential-ecr-login", "get"], { env: here.env, input });
 */
export const premises = async (hosts: Readonly<Record<string, Handler>>): Promise<Premises> => {
  const { ca, server: pair } = testCertificates({ hosts: Object.keys(hosts) });
  const byHost: Handler = async (request) => {
    const handler = hosts[new URL(request.origin).hostname];
    return handler === undefined
      ? { status: 421, headers: [], url: request.target, body: bytesBody(new Uint8Array()) }
      : handler(request);
  };
  const served = await listen(byHost, { tls: pair });
  const port = Number(new URL(served.origin).port);
  const tunnels: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((_request, response) => response.writeHead(502).end());
  proxy.on("connect", (request, socket: Socket) => {
    const [host = ""] = (request.url ?? "").split(":");
    tunnels.push(host);
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
    if (hosts[host] === undefined) return void socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    const inner = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      inner.pipe(socket);
      socket.pipe(inner);
    });
    sockets.add(inner.on("close", () => sockets.delete(inner)).on("error", () => socket.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const home = temporaryFolder("premises");
  const authority = join(home, "ca.pem");
  writeFileSync(authority, ca.cert);
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      HTTPS_PROXY: url,
      https_proxy: url,
      NO_PROXY: "127.0.0.1,localhost",
      no_proxy: "127.0.0.1,localhost",
      NODE_EXTRA_CA_CERTS: authority,
      SSL_CERT_FILE: authority,
      AWS_CA_BUNDLE: authority,
    },
    tunnels,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      await Promise.all([served.close(), new Promise((resolve) => proxy.close(resolve))]);
    },
  };
};
