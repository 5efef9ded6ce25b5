import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { findPeer } from "./find.ts";
import { accepting, freePort } from "./ports.ts";

/** A server that keeps things in memory, running on this machine. */
export interface CacheServer {
  /** `127.0.0.1:21211`; the same after each start. */
  readonly host: string;
  readonly port: number;
  /** SIGKILL; what it kept is gone. */
  kill(): Promise<void>;
  /** Starts it again where it was. */
  start(): Promise<void>;
  /** It takes connections and answers nothing. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Starts memcached, with further arguments such as `-I 64k`. `undefined` where the program is not installed, which is said on stderr. */
export const startMemcached = (args: readonly string[] = []): Promise<CacheServer | undefined> => {
  const user = process.getuid?.() === 0 ? ["-u", "root"] : [];
  return started("memcached", (port) => [...user, "-l", "127.0.0.1", "-p", String(port), "-U", "0", ...args]);
};

/** Starts Redis, which keeps nothing on disk, with further arguments such as `--requirepass WORD`. `undefined` where it is not installed. */
export const startRedis = (args: readonly string[] = []): Promise<CacheServer | undefined> =>
  started("redis-server", (port) => [
    "--bind",
    "127.0.0.1",
    "--port",
    String(port),
    "--save",
    "",
    "--appendonly",
    "no",
    ...args,
  ]);

const started = async (
  name: string,
  argsFor: (port: number) => readonly string[],
): Promise<CacheServer | undefined> => {
  const program = findPeer(name);
  if (program === undefined) return undefined;
  const port = await freePort();
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGKILL");
    await ended;
  };
  const start = async (): Promise<void> => {
    child = spawn(program, argsFor(port), { stdio: "ignore" });
    const ended = once(child, "exit").then(() => Promise.reject(new Error(`${name} ended at once`)));
    ended.catch(() => {});
    await Promise.race([accepting(port, name), ended]);
  };
  await start();
  return {
    host: `127.0.0.1:${port}`,
    port,
    kill,
    start,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    close: kill,
  };
};
