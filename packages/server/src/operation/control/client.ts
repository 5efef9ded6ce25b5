import { type IncomingMessage, request } from "node:http";
import { aborted, DrayError, type ErrorCode, exitCodes } from "dray/errors";
import type { ControlLine, ControlName, Controls } from "./controls.ts";
import { answers } from "./knock.ts";
import { reach, socketPath } from "./socket-path.ts";

/** A registry that is running. */
export interface ControlClient {
  /**
   * Asks for something and waits until it is done. Aborting the signal ends it there, too.
   * @throws DrayError what went wrong there; `NETWORK` where the registry ended meanwhile
   */
  ask<N extends ControlName>(
    name: N,
    options: Controls[N]["options"],
    how?: { readonly onProgress?: (progress: Controls[N]["progress"]) => void; readonly signal?: AbortSignal },
  ): Promise<Controls[N]["result"]>;
}

/**
 * The registry that serves a data folder, or `undefined` where none is running.
 * @throws DrayError `DENIED` where it runs as another user
 */
export const control = async (dataFolder: string): Promise<ControlClient | undefined> => {
  const path = socketPath(dataFolder);
  if (!(await answers(path))) return undefined;
  return {
    ask: (name, options, { onProgress = () => {}, signal } = {}) =>
      reach(path, async (short) => {
        const response = await send(short, name, options, signal);
        try {
          for await (const line of linesOf(response)) {
            if ("progress" in line) onProgress(line.progress as never);
            else if ("error" in line) throw errorOf(line.error);
            else return line.result as never;
          }
        } catch (error) {
          if (signal?.aborted) throw aborted(signal);
          if (error instanceof DrayError) throw error;
          throw ended(error);
        }
        throw ended();
      }),
  };
};

const send = (
  path: string,
  name: ControlName,
  options: object,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const get = name === "status";
    const asked = request({
      socketPath: path,
      path: `/${name}`,
      method: get ? "GET" : "POST",
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    asked.once("response", resolve);
    asked.on("error", (error) => reject(signal?.aborted ? aborted(signal) : ended(error)));
    asked.end(get ? undefined : JSON.stringify(options));
  });

async function* linesOf(response: IncomingMessage): AsyncGenerator<ControlLine> {
  let rest = "";
  response.setEncoding("utf8");
  for await (const part of response) {
    const lines = (rest + (part as string)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as ControlLine;
  }
}

const errorOf = ({ code, message }: { code: string; message: string }): DrayError =>
  new DrayError(Object.hasOwn(exitCodes, code) ? (code as ErrorCode) : "REGISTRY", message);

const ended = (cause?: unknown): DrayError =>
  new DrayError("NETWORK", "the registry ended before it was done; ask again when it is back", { cause });
