/** Starts the registry of made-up repositories in a process of its own. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Asked, MadeUp } from "./made-up.ts";

export interface MadeUpRegistry {
  readonly host: string;
  /** What it was asked since it was asked that last. */
  asked(): Promise<Asked>;
  /** A tag stands for something else from now on. */
  move(repository: string, tag: string): Promise<void>;
  add(repository: string, tag: string): Promise<void>;
  close(): void;
}

export const startMadeUp = async (made: MadeUp): Promise<MadeUpRegistry> => {
  const program = fileURLToPath(new URL("made-up.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(made)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the made-up registry ended");
    return JSON.parse(value) as T;
  };
  const told = async <T>(line: string): Promise<T> => {
    child.stdin.write(`${line}\n`);
    return answer<T>();
  };
  return {
    host: `127.0.0.1:${await answer<number>()}`,
    asked: () => told<Asked>("asked"),
    move: (repository, tag) => told<void>(`move ${repository} ${tag}`),
    add: (repository, tag) => told<void>(`add ${repository} ${tag}`),
    close: () => void child.kill(),
  };
};
