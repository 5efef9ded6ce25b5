import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A relay that is bad for long transfers. */
export interface CuttingProxy {
  readonly host: string;
  /** Bytes that clients sent and that were passed on. */
  readonly sent: () => number;
  /** Bytes that were passed back to clients. */
  readonly received: () => number;
  /** Connections that were cut so far. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

/**
 * Relays connections to `target` (`host:port`) and resets each one after `limit` bytes in one direction, as gateways with
 * quotas do. Without a limit it only counts.
 */
export const cuttingProxy = async (target: string, limit: number = Number.POSITIVE_INFINITY): Promise<CuttingProxy> => {
  const [hostname, port] = target.split(":") as [string, string];
  const sockets = new Set<Socket>();
  const counts = { sent: 0, received: 0, cuts: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const cut = (): void => {
      counts.cuts++;
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    relay(client, upstream, limit, cut, (bytes) => {
      counts.sent += bytes;
    });
    relay(upstream, client, limit, cut, (bytes) => {
      counts.received += bytes;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => counts.sent,
    received: () => counts.received,
    cuts: () => counts.cuts,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

const relay = (from: Socket, to: Socket, limit: number, cut: () => void, count: (bytes: number) => void): void => {
  let left = limit;
  from.on("data", (data) => {
    const part = data.subarray(0, left);
    left -= part.byteLength;
    count(part.byteLength);
    // What is cut has arrived up to the last byte that was let through.
    if (left === 0) to.write(part, () => cut());
    else if (!to.write(part)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  });
  from.on("end", () => to.end());
};
