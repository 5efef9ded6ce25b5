import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onDisk } from "../files/index.ts";
import type { SshDestination } from "./address.ts";

/** A socket of this machine behind which an engine on another one listens. */
export interface SshRelay {
  /** Path of the socket, in a folder that is this user's alone. */
  readonly path: string;
  /** What the last `ssh` that failed said. */
  readonly fault: () => string | undefined;
  close(): void;
}

/** Bytes of what `ssh` says that are kept. */
const kept = 4096;

/**
 * The way to an engine by the `ssh` program, with the user's own keys, hosts and configuration: each connection to the socket is one
 * `ssh HOST docker system dial-stdio`. It asks nobody for a password. Nothing here keeps the process alive.
 */
export const openSshRelay = async (
  destination: SshDestination,
  env: Readonly<Record<string, string | undefined>>,
): Promise<SshRelay> => {
  const folder = await onDisk("make a folder in", tmpdir(), () => mkdtemp(join(tmpdir(), "dray-ssh-")));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const path = join(folder, "engine.sock");
  const running = new Set<ChildProcess>();
  let fault: string | undefined;
  const server: Server = createServer((socket: Socket) => {
    const child = spawn("ssh", [...sshWords(destination)], { env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
    running.add(child);
    let said = "";
    let started = true;
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (said = (said + text).slice(-kept)));
    child.once("error", (error: NodeJS.ErrnoException) => {
      started = false;
      fault = error.code === "ENOENT" ? "there is no ssh program in PATH" : `ssh cannot be started (${error.code})`;
      socket.destroy();
    });
    child.once("close", (code) => {
      running.delete(child);
      if (started && code !== 0 && code !== null) fault = lastLine(said) || `ssh ended with status ${code}`;
      // Not before it is known why: whoever asked hears of the end now.
      socket.end();
    });
    socket.once("close", () => child.kill());
    for (const stream of [socket, child.stdin, child.stdout]) stream.on("error", () => {});
    socket.pipe(child.stdin);
    child.stdout.pipe(socket, { end: false });
    child.unref();
    for (const stream of [socket, child.stdin, child.stdout, child.stderr]) (stream as Partial<Socket>).unref?.();
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    path,
    fault: () => fault,
    close: () => {
      process.off("exit", remove);
      for (const child of running) child.kill();
      server.close();
      remove();
    },
  };
};

/** One word for the shell of the other machine, to which ssh hands all of them joined. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** As docker calls it. What follows `--` is no option, whatever it looks like. */
export const sshWords = ({ user, host, port, socket }: SshDestination): readonly string[] => [
  ...(user === undefined ? [] : ["-l", user]),
  ...(port === undefined ? [] : ["-p", port]),
  "-o",
  "BatchMode=yes",
  "-T",
  "--",
  host,
  "docker",
  ...(socket === undefined ? [] : ["--host", quoted(`unix://${socket}`)]),
  "system",
  "dial-stdio",
];

const lastLine = (text: string): string => text.trim().split(/\r?\n/).at(-1)?.slice(0, 300) ?? "";
