import type { Readable } from "node:stream";
import { aborted, DrayError } from "dray/errors";
import type { Call } from "./context.ts";

/** Asks somebody at a terminal. Questions go to stderr, so that results stay alone on stdout. */
export interface Terminal {
  /** What was typed, shown as it is typed. */
  line(question: string): Promise<string>;
  /** The same, shown to nobody. */
  secret(question: string): Promise<string>;
}

type Keyboard = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** The terminal that stdin is; `undefined` where it is none, and where the password is on it. */
export const terminalOf = ({ stdin, stderr, signal, options }: Call): Terminal | undefined => {
  if (options.passwordStdin === true) return undefined;
  const keyboard: Keyboard = stdin();
  if (keyboard.isTTY !== true) return undefined;
  const ask = async (question: string, hidden: boolean): Promise<string> => {
    stderr.write(question);
    if (hidden) keyboard.setRawMode?.(true);
    try {
      return await typedLine(keyboard, signal);
    } finally {
      if (hidden) {
        keyboard.setRawMode?.(false);
        stderr.write("\n");
      }
    }
  };
  return { line: (question) => ask(question, false), secret: (question) => ask(question, true) };
};

/** One line. In raw mode the keys come as they are: erasing and Ctrl-C are ours to understand. */
const typedLine = (keyboard: Keyboard, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const typed: string[] = [];
    const end = (settle: () => void): void => {
      keyboard.off("data", take).off("end", over).pause();
      signal.removeEventListener("abort", cancel);
      settle();
    };
    const over = (): void => end(() => resolve(typed.join("")));
    const cancel = (): void => end(() => reject(aborted(signal)));
    const take = (bytes: Buffer | string): void => {
      for (const key of bytes.toString()) {
        if (key === "\r" || key === "\n" || key === "\u0004") return over();
        if (key === "\u0003") return end(() => reject(new DrayError("ABORTED", "interrupted")));
        if (key === "\u007f" || key === "\b") typed.pop();
        else if (key === "\u0015") typed.length = 0;
        else if (key >= " ") typed.push(key);
      }
    };
    keyboard.on("data", take).once("end", over).resume();
    signal.addEventListener("abort", cancel, { once: true });
  });
