import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Answer, Question } from "./host.ts";

/** The process that serves, from outside. What it wrote lies in files, so that nothing of it is still on its way. */
export class HostProcess {
  readonly #child: ChildProcess;
  readonly folder: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  /** @param folder where it works, and where what it writes is kept */
  constructor(folder: string) {
    this.folder = folder;
    const [out, err] = ["out", "err"].map((name) => openSync(join(folder, name), "a"));
    this.#child = spawn(process.execPath, [fileURLToPath(new URL("host.ts", import.meta.url))], {
      cwd: folder,
      stdio: ["ignore", out, err, "ipc"],
    });
    for (const fd of [out, err]) if (fd !== undefined) closeSync(fd);
    this.#child.on("message", ({ id, ...answer }: Answer & { id: number }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    this.#child.on("exit", (code) => {
      const last = this.written("err").slice(-2000);
      for (const tell of this.#waiting.values()) tell({ refused: `the process ended (${code}): ${last}` });
    });
  }

  ask(question: Question): Promise<Answer> {
    const id = this.#asked++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, question });
    });
  }

  written(stream: "out" | "err"): string {
    return readFileSync(join(this.folder, stream), "utf8");
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await ended;
  }
}
