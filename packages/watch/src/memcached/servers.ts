import { crc32 } from "node:zlib";
import { DrayError } from "dray/errors";

/** Where one memcached listens. */
export interface Server {
  /** As it is told of: `memcached-0.memcached:11211`, `[::1]:11211`, `/run/memcached.sock`. */
  readonly name: string;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
}

export const defaultPort = 11211;

/**
 * A server by its address: `host`, `host:port`, `[address]:port`, or the path of a socket.
 * @throws DrayError `USAGE`
 */
export const serverOf = (address: string): Server => {
  if (address.includes("/")) return { name: address, at: { path: address } };
  const parts = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(address);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3] ?? defaultPort);
  if (host === undefined || port < 1 || port > 65_535)
    throw new DrayError(
      "USAGE",
      `"${address}" is no address of a memcached: host, host:port, [address]:port or /path/of/a/socket`,
    );
  return serverAt(host, port);
};

export const serverAt = (host: string, port: number): Server => ({
  name: `${host.includes(":") ? `[${host}]` : host}:${port}`,
  at: { host, port },
});

/**
 * The server that has a key: the one that gomemcache picks from the same list, so that programs of both kinds share what they keep.
 * `undefined` where there is none.
 */
export const pickServer = (servers: readonly Server[], key: string): Server | undefined =>
  servers.length < 2 ? servers[0] : servers[crc32(key) % servers.length];
