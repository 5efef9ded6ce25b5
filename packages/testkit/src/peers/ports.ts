import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A port that nobody listens on at the moment, for a program that cannot choose one itself. It is none of those that systems hand out by
 * themselves, for connections and for port 0, so that nothing takes it before that program does.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(16_384, 32_768);
    if (given.has(port)) continue;
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    await once(server.close(), "close");
    given.add(port);
    return port;
  }
};

/** In this process. */
const given = new Set<number>();

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
