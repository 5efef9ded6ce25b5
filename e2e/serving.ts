/** `dray serve`, and servers that others wrote, as processes of their own: started, listened to, ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, connect as dial } from "node:net";
import { fileURLToPath } from "node:url";
import { findPeer } from "@dray/testkit/peers";
import type { Sandbox } from "./dray.ts";

const main: string = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));

/** A program that was started and will be ended. */
export interface Running {
  /** `127.0.0.1:41234` */
  readonly host: string;
  /** The end of what it said, on both streams. */
  said(): string;
  /** Sends SIGTERM, and SIGKILL where that does not help; tells the exit code. */
  stop(): Promise<number | null>;
}

const alive = async <T>(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  ready: (said: string) => Promise<T | undefined>,
): Promise<{ found: T; said: () => string; stop: () => Promise<number | null> }> => {
  const [program = "", ...args] = command;
  const child: ChildProcess = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-20_000);
    });
  let over = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", resolve);
  }).finally(() => {
    over = true;
  });
  const stop = async (): Promise<number | null> => {
    child.kill();
    const hurry = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const code = await ended;
    clearTimeout(hurry);
    return code;
  };
  for (const until = Date.now() + 60_000; Date.now() < until && !over; ) {
    const found = await ready(said);
    if (found !== undefined) return { found, said: () => said, stop };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
  throw new Error(`${program} ${args.slice(0, 3).join(" ")} did not become ready: ${said}`);
};

/** The program that serves: from source under Bun, whichever runtime runs the test. */
const fromSource = (): readonly string[] => {
  const installed = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
  return [existsSync(installed) ? installed : "bun", main];
};

/** Starts `dray serve` with nothing but a configuration, which says where it listens. */
export const serveDrayAt = (shop: Sandbox, address: string, config: string): Promise<Running> =>
  serveAt(address, [...fromSource(), "serve", config], shop.env);

/** Starts `dray serve` on a free port. @throws with what it said when it does not come up */
export const serveDray = async (
  shop: Sandbox,
  args: readonly string[],
  { program = fromSource() }: { program?: readonly string[] } = {},
): Promise<Running> => {
  const command = [...program, "serve", ...args, "--listen", "127.0.0.1:0"];
  const { found, ...rest } = await alive(
    command,
    shop.env,
    async (said) => /is at https?:\/\/([^;\s]+);/.exec(said)?.[1],
  );
  return { host: found, ...rest };
};

/** An address that nobody listens at. */
export const freeAddress = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(`127.0.0.1:${port}`));
    });
  });

const listens = (address: string): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = dial(Number(address.split(":")[1]), "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(undefined));
  });

/** Starts a server that knows its address, and waits until it listens there. */
export const serveAt = async (
  address: string,
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Running> => {
  const { found: _, ...rest } = await alive(command, env, () => listens(address));
  return { host: address, ...rest };
};

/** A docker daemon of the test's own, at a socket. */
export interface Daemon {
  readonly socket: string;
  stop(): Promise<number | null>;
}

/** Why there is no daemon here, or `false`. */
export const noDaemon = (): string | false => {
  const absent = ["docker", "dockerd", "unshare"].filter((name) => findPeer(name) === undefined);
  if (absent.length > 0) return `missing: ${absent.join(", ")}`;
  return process.getuid?.() === 0 ? false : "needs root, for dockerd";
};

/** It sees a `/etc/docker` of its own and no network: it only stores and moves images. */
export const startDaemon = async (shop: Sandbox): Promise<Daemon> => {
  const at = (name: string): string => shop.path("dockerd", name);
  await mkdir(at("etc"), { recursive: true });
  await writeFile(at("etc/daemon.json"), "{}");
  const words = `--iptables=false --ip6tables=false --bridge=none --storage-driver=vfs --data-root ${at("root")}
    --exec-root ${at("exec")} --pidfile ${at("pid")} --config-file ${at("etc/daemon.json")} --host unix://${at("sock")}`;
  const script = `mkdir -p /etc/docker; mount --bind "$0" /etc/docker; exec dockerd ${words.replace(/\s+/g, " ")}`;
  const { stop } = await alive(
    ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec", script, at("etc")],
    shop.env,
    async (said) => (said.includes("API listen on") ? true : undefined),
  );
  return { socket: `unix://${at("sock")}`, stop };
};
