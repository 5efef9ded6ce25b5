import { type LineOptions, type Lines, openLines } from "../observe/index.ts";

/** Stack of things to close, last one first; among them files of lines, which others may move away. */
export class CloseStack {
  readonly #closes: (() => Promise<void>)[] = [];
  readonly #lines: Lines[] = [];

  /** @param to `stdout`, `stderr` or a path */
  async lines(to: string, options: LineOptions = {}): Promise<Lines> {
    const lines = await openLines(to === "stdout" ? 1 : to === "stderr" ? 2 : to, options);
    this.#lines.push(lines);
    this.onClose(() => lines.close());
    return lines;
  }

  onClose(close: () => Promise<void>): void {
    this.#closes.push(close);
  }

  /** Files of lines under their names again. */
  async reopen(): Promise<void> {
    for (const lines of this.#lines) await lines.reopen();
  }

  /** Everything is closed, also where something failed on the way. @throws the first failure */
  async close(): Promise<void> {
    const failed: unknown[] = [];
    for (const close of this.#closes.splice(0).reverse()) await close().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }
}
