/** A cache of flux as flux's own package writes and reads it. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { goProgram } from "../go-program.ts";

/** The path of the program; `undefined` where it is not to be had here, which is said. */
export const fluxProgram = (): Promise<string | undefined> =>
  goProgram("flux-cache", fileURLToPath(new URL(".", import.meta.url)));

/** What it is told: `main.go` says what each does. */
export interface FluxCommand {
  readonly Do: string;
  readonly Image: string;
  readonly Deadline?: number;
  readonly Reason?: string;
  readonly Digest?: string;
  readonly Created?: string;
  readonly Tags?: readonly string[];
  readonly Error?: string;
}

export interface FluxAnswer {
  /** JSON, as it says it. */
  readonly value: unknown;
  /** Seconds since 1970. */
  readonly deadline: number | undefined;
  readonly error: string | undefined;
}

/** The program, running: one question after the other. */
export class Flux {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, ...args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(command: FluxCommand): Promise<FluxAnswer> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    const { value: line, done } = await this.#lines.next();
    if (done === true) throw new Error("flux has ended");
    const { Value, Deadline, Error: error } = JSON.parse(line) as { Value?: string; Deadline?: number; Error?: string };
    return { value: Value === undefined ? undefined : JSON.parse(Value), deadline: Deadline, error };
  }

  close(): void {
    this.#child.kill();
  }
}
