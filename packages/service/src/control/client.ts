import { type IncomingMessage, request } from "node:http";
import { aborted, DrayError, type ErrorCode, exitCodes } from "dray/errors";
import type { ControlFormat, ControlLine, Controls } from "./format.ts";
import { answers, reach } from "./socket-path.ts";

/** A program that is running, to be asked. */
export interface ControlClient<C extends Controls<C>> {
  /**
   * Asks for something and waits until it is done. Aborting the signal ends it there, too.
   * @throws DrayError what went wrong there; `NETWORK` where the program ended meanwhile
   */
  ask<N extends keyof C & string>(
    name: N,
    options: C[N]["options"],
    how?: { readonly onProgress?: (progress: C[N]["progress"]) => void; readonly signal?: AbortSignal },
  ): Promise<C[N]["result"]>;
}

/**
 * The program that listens at a socket, or `undefined` where none is running.
 * @throws DrayError `DENIED` where it runs as another user
 */
export const control = async <C extends Controls<C>>(
  path: string,
  { program, words }: ControlFormat<C>,
): Promise<ControlClient<C> | undefined> => {
  if (!(await answers(path, program))) return undefined;
  const ended = (cause?: unknown): DrayError =>
    new DrayError("NETWORK", `${program} ended before it was done; ask again when it is back`, { cause });
  return {
    ask: (name, options, { onProgress = () => {}, signal } = {}) =>
      reach(path, async (short) => {
        try {
          const response = await send(short, name, words[name].reads === true ? undefined : options, signal);
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
  name: string,
  options: object | undefined,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asked = request({
      socketPath: path,
      path: `/${name}`,
      method: options === undefined ? "GET" : "POST",
      agent: false,
      signal,
    });
    asked.once("response", resolve);
    asked.on("error", reject);
    asked.end(options === undefined ? undefined : JSON.stringify(options));
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
