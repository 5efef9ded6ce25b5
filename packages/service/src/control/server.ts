import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { DrayError, isDrayError } from "dray/errors";
import { diskError } from "dray/internal/files";
import { type ControlActions, type ControlFormat, type ControlLine, type Controls, readOptions } from "./format.ts";
import { answers, reach } from "./socket-path.ts";

/** Bytes of a question's body. */
const largestQuestion = 64 * 1024;
/** Bytes that may wait for somebody who asked and does not read; more, and he has gone. */
const mostWaiting = 64 * 1024 * 1024;

export interface ControlServer {
  /** The socket. */
  readonly path: string;
  /** Makes the socket again where somebody removed it. @throws DrayError `LOCKED` where somebody else answers there, `DISK` */
  keep(): Promise<void>;
  /** Ends what is being done for somebody, and removes the socket. */
  close(): Promise<void>;
}

export interface ControlOptions<C extends Controls<C>> {
  /** Where the socket is to lie, in a folder that this makes. */
  readonly path: string;
  /** What is served, for whoever finds another process there: its folder. */
  readonly serves: string;
  readonly format: ControlFormat<C>;
  readonly actions: ControlActions<C>;
}

/**
 * Listens at a socket, for the owner of the process alone (mode 0600): HTTP, `POST /gc` and so on with options as a
 * JSON object, `GET /status`; the answer is a line of JSON for each thing found and a last one with the result. The socket is made in
 * a folder that nobody else can enter and then moved to its place, so there is no moment in which another user may connect, and what
 * a dead process left there is replaced.
 * @example curl --unix-socket DATA/dray/control.sock -d '{"dryRun":true}' http://dray/gc
 * @throws DrayError `LOCKED` where somebody answers there, `DISK` where no socket can be made
 */
export const serveControl = async <C extends Controls<C>>(options: ControlOptions<C>): Promise<ControlServer> => {
  const { path, format, actions } = options;
  const running = new Set<AbortController>();
  const open = async (): Promise<Opened> => {
    await vacant(options);
    const server = createServer((request, response) => void serve(format, actions, running, request, response));
    return { server, ino: await place(server, path) };
  };
  let opened = await open();
  const ended = ({ server }: Opened): Promise<void> =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      // An answer to what was aborted has a moment to leave.
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    });
  return {
    path,
    keep: async () => {
      if ((await inodeOf(path)) === opened.ino) return;
      const former = opened;
      opened = await open();
      // What was asked there is answered there; nobody can come any more.
      former.server.close();
    },
    close: async () => {
      for (const controller of running)
        controller.abort(new DrayError("ABORTED", `${format.program} is about to end; ask again when it is back`));
      // Somebody else's, by now, where it is another one.
      if ((await inodeOf(path)) === opened.ino) await unlink(path).catch(() => {});
      await ended(opened);
    },
  };
};

interface Opened {
  readonly server: Server;
  readonly ino: number | undefined;
}

const inodeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await lstat(path)).ino;
  } catch {
    return undefined;
  }
};

/** Sees that nobody answers there. What another user's dead process left cannot be asked, and is replaced. */
const vacant = async <C extends Controls<C>>({ path, serves, format }: ControlOptions<C>): Promise<void> => {
  const answered = await answers(path, format.program).catch((error: unknown) => {
    if (isDrayError(error, "DENIED")) return false;
    throw error;
  });
  if (answered)
    throw new DrayError("LOCKED", `another process serves ${serves}: it answers at ${path}`, { retryable: true });
};

/** Puts a socket of the server to its place, and tells which file that is. */
const place = async (server: Server, path: string): Promise<number | undefined> => {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder))
      if (name.startsWith(".control-")) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
    const making = await mkdtemp(join(folder, ".control-"));
    await reach(join(making, "s"), (short) => listen(server, short));
    await chmod(join(making, "s"), 0o600);
    await rename(join(making, "s"), path);
    await rm(making, { recursive: true, force: true });
    return await inodeOf(path);
  } catch (error) {
    server.close();
    throw diskError(error, "make the control socket", path);
  }
};

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });

const serve = async <C extends Controls<C>>(
  { words }: ControlFormat<C>,
  actions: ControlActions<C>,
  running: Set<AbortController>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const gone = new AbortController();
  running.add(gone);
  response.once("close", () => gone.abort());
  response.on("error", () => gone.abort());
  request.on("error", () => gone.abort());
  const line = (one: ControlLine): void => {
    response.write(`${JSON.stringify(one)}\n`);
    if (response.writableLength > mostWaiting) response.destroy();
  };
  try {
    const name = (request.url ?? "").slice(1);
    if (!Object.hasOwn(words, name)) return refuse(response, 404, "NOT_FOUND", `there is no ${request.url}`);
    const question = words[name as keyof C];
    const method = question.reads === true ? "GET" : "POST";
    if (request.method !== method) return refuse(response, 405, "USAGE", `${method} ${request.url}`);
    const options = readOptions(name, question, await textOf(request));
    response.writeHead(200, { "Content-Type": "application/x-ndjson", Connection: "close" });
    response.flushHeaders();
    const context = { tell: (progress: unknown) => line({ progress }), signal: gone.signal };
    const run = actions[name as keyof C] as (options: object, context: object) => Promise<unknown>;
    line({ result: (await run(options, context)) ?? {} });
  } catch (error) {
    const { code, message } = isDrayError(error) ? error : { code: "REGISTRY", message: String(error) };
    if (response.headersSent) line({ error: { code, message } });
    else refuse(response, 400, code, message);
  } finally {
    running.delete(gone);
    response.end();
  }
};

const refuse = (response: ServerResponse, status: number, code: string, message: string): void => {
  response.writeHead(status, { "Content-Type": "application/x-ndjson", Connection: "close" });
  response.write(`${JSON.stringify({ error: { code, message } } satisfies ControlLine)}\n`);
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    size += (part as Buffer).byteLength;
    if (size > largestQuestion) throw new DrayError("LIMIT_EXCEEDED", "the question is too large");
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
};
