import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer, type TlsOptions } from "node:tls";

/** A server for tests that speaks byte by byte, so that it can break every rule. */
export interface RawServer {
  readonly origin: string;
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Calls `serve` for each request's head, as text, with the socket it came by. Bodies are read away. */
export const rawServer = async (
  serve: (head: string, socket: Socket, nth: number) => void,
  tls?: TlsOptions,
): Promise<RawServer> => {
  const sockets = new Set<Socket>();
  let [connections, requests] = [0, 0];
  const accept = (socket: Socket): void => {
    connections++;
    sockets.add(socket);
    let seen = "";
    socket.on("data", (bytes) => {
      seen += bytes.toString("latin1");
      for (let end = seen.indexOf("\r\n\r\n"); end >= 0; end = seen.indexOf("\r\n\r\n")) {
        const head = /[A-Z]+ \S+ HTTP\/1\.1\r\n[^]*$/.exec(seen.slice(0, end))?.[0];
        seen = seen.slice(end + 4);
        if (head !== undefined) serve(head, socket, ++requests);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  };
  const server: Server = tls === undefined ? createServer(accept) : createSecureServer(tls, accept);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    get connections() {
      return connections;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};
