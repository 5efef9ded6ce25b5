import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A port that nobody listens on at the moment, for a program that cannot choose one itself. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
};

/** Resolves when something accepts connections at a port of this machine; `what` names it where it never does. */
export const accepting = async (
  port: number,
  what: string,
  { seconds = 10, pause = 25 }: { readonly seconds?: number; readonly pause?: number } = {},
): Promise<void> => {
  for (let waited = 0; waited < seconds * 1000; waited += pause) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (open) return;
    await sleep(pause);
  }
  throw new Error(`${what} does not listen`);
};
