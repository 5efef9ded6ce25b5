/** Starts the relay, whose work is not counted as the client's. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Line } from "./relay.ts";

/** What went over the line since it was asked last. Requests are seen over http alone. */
export interface Traffic {
  readonly requests: number;
  readonly connections: number;
  /** Connections that were closed, because there were too many. */
  readonly refused: number;
  /** Requests that were answered 429. */
  readonly limited: number;
}

export interface Relay {
  /** Where each target is reached over the line. */
  readonly hosts: readonly string[];
  traffic(): Promise<Traffic>;
  close(): void;
}

export const startRelay = async (line: Line, targets: readonly string[]): Promise<Relay> => {
  const program = fileURLToPath(new URL("relay.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(line), ...targets], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the relay ended");
    return JSON.parse(value) as T;
  };
  const ports = await answer<number[]>();
  return {
    hosts: ports.map((port) => `127.0.0.1:${port}`),
    traffic: async () => {
      child.stdin.write("\n");
      return answer<Traffic>();
    },
    close: () => void child.kill(),
  };
};
