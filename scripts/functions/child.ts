/** The programs that are counted: each a process of its own, with the probe in all of its threads. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { Taken } from "./probe.ts";

const here = import.meta.dirname;

/** A process under count. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(node: string, checkout: string, words: readonly string[]) {
    this.#process = spawn(node, words, {
      cwd: checkout,
      env: {
        ...process.env,
        // By the environment, which reaches workers that are started without their parent's options, too.
        NODE_OPTIONS: `--import=${pathToFileURL(join(here, "probe.ts")).href}`,
        // `dray serve` would begin itself again for more threads, and lose the line to us.
        UV_THREADPOOL_SIZE: "32",
      },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.#ended = new Promise((resolve) => this.#process.once("close", () => resolve()));
  }

  /** The first thing it says that matches. */
  async says(pattern: RegExp): Promise<string> {
    const { stdout } = this.#process;
    if (stdout === null) throw new Error("nothing can be heard of it");
    for await (const line of createInterface({ input: stdout })) {
      const [, found] = pattern.exec(line) ?? [];
      if (found === undefined) continue;
      stdout.resume();
      return found;
    }
    throw new Error("it ended without a word");
  }

  /** Has it do something, and waits until it says so. */
  async does(task: object): Promise<void> {
    const { failed } = await this.#ask<{ failed?: string }>({ task }, "done");
    if (failed !== undefined) throw new Error(failed);
  }

  /** What ran since this was called last, by thread. */
  async taken(): Promise<readonly Taken[]> {
    return (await this.#ask<{ taken: readonly Taken[] }>("take", "taken")).taken;
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#ended;
  }

  #ask<T>(message: object | string, answer: string): Promise<T> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const hear = (said: object): void => {
        if (!(answer in said)) return;
        child.off("message", hear);
        child.off("close", gone);
        resolve(said as T);
      };
      const gone = (code: number | null): void => reject(new Error(`a program under count ended with ${code}`));
      child.on("message", hear);
      child.once("close", gone);
      child.send(message);
    });
  }
}
