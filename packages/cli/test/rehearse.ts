import { Readable, Writable } from "node:stream";
import type { Environment } from "../src/environment.ts";
import { run } from "../src/run.ts";

/** How a run ended, and what it said. */
export interface Rehearsed {
  readonly exitCode: number;
  readonly stdout: string;
  /** The same as bytes: archives go there too. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

export interface RehearseOptions {
  readonly env?: Environment;
  readonly stdin?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** Whether results are printed on a terminal. Default: no. */
  readonly isTerminal?: boolean;
}

/**
 * Runs the command in this process, with nothing of the process around it: no environment, no terminal, no files of the user.
 * @param home a folder that stands for the user's home.
 */
export const rehearse = async (
  home: string,
  words: readonly string[],
  { env = {}, stdin = "", signal, isTerminal = false }: RehearseOptions = {},
): Promise<Rehearsed> => {
  const [stdout, stderr] = [gathered(), gathered()];
  const exitCode = await run(words, {
    stdin: () => (stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)])),
    stdout: isTerminal ? Object.assign(stdout.stream, { isTTY: true }) : stdout.stream,
    stderr: stderr.stream,
    env: { HOME: home, XDG_STATE_HOME: `${home}/state`, PATH: process.env["PATH"], ...env },
    ...(signal === undefined ? {} : { signal }),
  });
  const bytes = stdout.bytes();
  return { exitCode, bytes, stdout: bytes.toString("utf8"), stderr: stderr.bytes().toString("utf8") };
};

const gathered = (): { stream: Writable; bytes: () => Buffer } => {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
};
