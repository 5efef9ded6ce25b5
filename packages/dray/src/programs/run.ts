import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { aborted, throwIfAborted } from "../errors.ts";
import { findProgram } from "./find.ts";

/** What a program is run with. */
export interface ProgramOptions {
  /** Where `PATH` is read from and what the program sees. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until the program is killed. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** What it reads from stdin. Default: nothing. */
  readonly input?: string;
}

/** How a program ended. What it printed is no secret only if it failed; show it even then with care. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why a program did not end by itself, or was never there. */
export interface NotRun {
  /** Reads on after the program's name: `is not in PATH`. */
  readonly fault: string;
  readonly remedy: string;
}

/** More than any credential needs; a program that prints more has gone wild. */
const longestOutput = 256 * 1024;

/**
 * Runs a program that is in `PATH`: never by way of a shell, and never one of the current folder, which a relative or empty entry of PATH would
 * allow.
 * @throws DrayError `ABORTED`
 */
export const runProgram = async (
  name: string,
  words: readonly string[],
  options: ProgramOptions,
): Promise<Ended | NotRun> => {
  throwIfAborted(options.signal);
  const program = await findProgram(name, options.env);
  throwIfAborted(options.signal);
  if (program !== undefined) return run(program, words, options);
  return { fault: "is not in PATH", remedy: "install it, or take it out of the configuration" };
};

const run = (program: string, words: readonly string[], options: ProgramOptions): Promise<Ended | NotRun> =>
  new Promise((resolve, reject) => {
    const { env, timeout, signal, input = "" } = options;
    // Loaded with the first program: most people have none.
    const { spawn } = process.getBuiltinModule("node:child_process");
    const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(program, [...words], {
      env: { ...env },
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    const output = { stdout: "", stderr: "" };
    let grace: NodeJS.Timeout | undefined;
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      clearTimeout(grace);
      signal?.removeEventListener("abort", onAbort);
      child.removeAllListeners();
      // A grandchild may hold the pipes open for as long as it lives; nobody waits for that.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      child.on("error", () => {});
      child.kill("SIGKILL");
      child.unref();
      finish();
    };
    const give = (result: Ended | NotRun): void => settle(() => resolve(result));
    const timer = setTimeout(give, timeout, {
      fault: "did not answer in time and was stopped",
      remedy: "try it by hand; it may wait for a prompt",
    });
    const onAbort = (): void => settle(() => reject(aborted(signal as AbortSignal)));
    signal?.addEventListener("abort", onAbort, { once: true });

    for (const which of ["stdout", "stderr"] as const) {
      const stream = child[which];
      stream.setEncoding("utf8");
      stream.on("error", () => {});
      stream.on("data", (text: string) => {
        output[which] += text;
        if (output[which].length > longestOutput) give(broken(`it printed more than ${longestOutput} bytes`));
      });
    }
    child.on("error", (error: NodeJS.ErrnoException) =>
      give(broken(`it cannot be started (${error.code ?? "unknown reason"})`)),
    );
    const finished = (status: number | null): void => give({ status: status ?? -1, ...output });
    // "close" comes when the output is read to its end; "exit" may come before, or alone where a grandchild keeps a pipe.
    child.on("close", finished);
    child.on("exit", (status) => {
      // Where this process did nothing meanwhile the output is here, and has its turn first.
      grace = setTimeout(() => setImmediate(finished, status), exitGrace);
    });
    // A program may end without reading what it is asked.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });

/** Milliseconds that output may still take to arrive after the program's end. */
const exitGrace = 100;

const broken = (reason: string): NotRun => ({ fault: `does not work: ${reason}`, remedy: "try it by hand" });
