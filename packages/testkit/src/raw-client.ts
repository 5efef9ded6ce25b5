import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A client for tests that speaks byte by byte, so that it can break every rule. */
export interface RawClient {
  readonly socket: Socket;
  /** All that came so far. */
  readonly text: string;
  send(text: string | Uint8Array): void;
  /** Resolves with all that came, once it matches; rejects if the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that came when the server has ended the connection, however it did. `code` says how, where it was an error. */
  ended(): Promise<{ text: string; code?: string }>;
}

export const rawClient = async (port: number, { localAddress }: { localAddress?: string } = {}): Promise<RawClient> => {
  const socket = connect({ port, host: "127.0.0.1", ...(localAddress === undefined ? {} : { localAddress }) });
  let [text, closed]: [string, boolean] = ["", false];
  let code: string | undefined;
  let heard: (() => void)[] = [];
  const hear = (): void => {
    const all = heard;
    heard = [];
    for (const one of all) one();
  };
  socket.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
    hear();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  socket.on("close", () => {
    closed = true;
    hear();
  });
  const change = (): Promise<void> => new Promise((resolve) => heard.push(resolve));
  await once(socket, "connect");
  return {
    socket,
    get text() {
      return text;
    },
    send: (bytes) => void socket.write(bytes),
    until: async (pattern) => {
      while (!pattern.test(text)) {
        if (closed) throw new Error(`the connection ended (${code ?? "no error"}) after ${JSON.stringify(text)}`);
        await change();
      }
      return text;
    },
    ended: async () => {
      while (!closed) await change();
      return { text, ...(code === undefined ? {} : { code }) };
    },
  };
};

/** Waits until the server has ended the connection, where it is to; else for so long that it would have. */
export const endedOr = async (client: RawClient, milliseconds: number, ends: boolean): Promise<void> => {
  await (ends ? client.ended() : sleep(milliseconds));
};

/** The status of every answer in a conversation. */
export const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
