import { once } from "node:events";
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

export interface CuttingProxyOptions {
  /** Bytes in one direction after which a connection is reset, as gateways with quotas do. Default: never. */
  readonly limit?: number;
  /** Milliseconds that a MiB takes, so that what is on its way lies in no buffer, as on a network slower than the disk. Default 0. */
  readonly pace?: number;
}

/** Relays connections to `target` (`host:port`), and counts. */
export const cuttingProxy = async (
  target: string,
  { limit = Number.POSITIVE_INFINITY, pace = 0 }: CuttingProxyOptions = {},
): Promise<CuttingProxy> => {
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
    relay(client, upstream, { limit, pace, cut, count: (bytes) => void (counts.sent += bytes) });
    relay(upstream, client, { limit, pace, cut, count: (bytes) => void (counts.received += bytes) });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => counts.sent,
    received: () => counts.received,
    cuts: () => counts.cuts,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
};

interface Way extends Required<CuttingProxyOptions> {
  readonly cut: () => void;
  readonly count: (bytes: number) => void;
}

const relay = (from: Socket, to: Socket, { limit, pace, cut, count }: Way): void => {
  let left = limit;
  from.on("data", (data) => {
    const part = data.subarray(0, left);
    left -= part.byteLength;
    count(part.byteLength);
    from.pause();
    to.write(part, () => {
      // What is cut has arrived up to the last byte that was let through.
      if (left === 0) cut();
      else if (pace === 0) from.resume();
      else setTimeout(() => from.resume(), (pace * part.byteLength) / 2 ** 20);
    });
  });
  from.on("end", () => to.end());
};
