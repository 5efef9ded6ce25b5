import type { ChildProcessByStdio } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { aborted, throwIfAborted } from "../errors.ts";

export interface HelperProcessOptions {
  /** Where `PATH` is read from and what the helper sees. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until the helper is killed. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a helper's run ended. What it printed is no secret only if it failed; show it even then with care. */
export type HelperRun =
  | { readonly outcome: "missing" }
  | { readonly outcome: "failed"; readonly reason: string }
  | { readonly outcome: "hung" }
  | { readonly outcome: "exited"; readonly status: number; readonly stdout: string; readonly stderr: string };

/** More than any credential needs; a helper that prints more has gone wild. */
const longestOutput = 256 * 1024;

/**
 * Runs `docker-credential-NAME VERB` with `input` on its stdin: never by way of a shell, and never a program of the
 * current folder, which a relative or empty entry of PATH would allow.
 * @see https://github.com/docker/docker-credential-helpers
 */
export const runHelper = async (
  name: string,
  verb: "get" | "store" | "erase",
  input: string,
  options: HelperProcessOptions,
): Promise<HelperRun> => {
  throwIfAborted(options.signal);
  const program = await findProgram(`docker-credential-${name}`, options.env);
  throwIfAborted(options.signal);
  return program === undefined ? { outcome: "missing" } : run(program, verb, input, options);
};

const findProgram = async (name: string, env: HelperProcessOptions["env"]): Promise<string | undefined> => {
  const windows = process.platform === "win32";
  const path = env["PATH"] ?? (windows ? env["Path"] : undefined) ?? "";
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    // Batch files would need a shell.
    const program = join(folder, windows ? `${name}.exe` : name);
    try {
      await access(program, windows ? constants.F_OK : constants.X_OK);
      return program;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
};

const run = (program: string, verb: string, input: string, options: HelperProcessOptions): Promise<HelperRun> =>
  new Promise((resolve, reject) => {
    const { env, timeout, signal } = options;
    // Loaded with the first helper: most people have none.
    const { spawn } = process.getBuiltinModule("node:child_process");
    const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(program, [verb], {
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
    const timer = setTimeout(() => settle(() => resolve({ outcome: "hung" })), timeout);
    const onAbort = (): void => settle(() => reject(aborted(signal as AbortSignal)));
    signal?.addEventListener("abort", onAbort, { once: true });

    for (const which of ["stdout", "stderr"] as const) {
      const stream = child[which];
      stream.setEncoding("utf8");
      stream.on("error", () => {});
      stream.on("data", (text: string) => {
        output[which] += text;
        if (output[which].length > longestOutput) {
          settle(() => resolve({ outcome: "failed", reason: `it printed more than ${longestOutput} bytes` }));
        }
      });
    }
    child.on("error", (error: NodeJS.ErrnoException) =>
      settle(() => resolve({ outcome: "failed", reason: `it cannot be started (${error.code ?? "unknown reason"})` })),
    );
    const finished = (status: number | null): void =>
      settle(() => resolve({ outcome: "exited", status: status ?? -1, ...output }));
    // "close" comes when the output is read to its end; "exit" may come before, or alone where a grandchild keeps a pipe.
    child.on("close", finished);
    child.on("exit", (status) => {
      grace = setTimeout(() => finished(status), exitGrace);
    });
    // A helper may end without reading what it is asked.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });

/** Milliseconds that output may still take to arrive after the helper's end. */
const exitGrace = 100;
