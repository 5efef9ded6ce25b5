import { close, mkdir, open, write } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { diskError, errnoOf } from "dray/internal/files";

/** Where lines go, each whole and in order. */
export interface Lines {
  /** Takes a line with its end. Never waits and never throws. */
  write(line: string): void;
  /** Opens a file again under its name, which somebody has moved away. A descriptor stays what it is. */
  reopen(): Promise<void>;
  /** Writes what waits, and lets go. */
  close(): Promise<void>;
}

export interface LineOptions {
  /**
   * Milliseconds that a line may wait for others, because a write costs more than a line. A kill loses what waits. Default 0: each
   * is written at once.
   */
  readonly delay?: number;
  readonly onTrouble?: (message: string) => void;
}

/** Characters that may wait for a slow disk or reader; more are dropped, because the program goes on without its log. */
const most = 8 * 1024 * 1024;
/** Characters that do not wait for more. */
const enough = 64 * 1024;
/** Milliseconds until a descriptor that has no room is tried again. */
const pause = 50;

const files = { open: promisify(open), write: promisify(write), close: promisify(close), mkdir: promisify(mkdir) };

/**
 * Lines to a file (a path; appended, mode 0640) or to a descriptor that is open (1, 2): one write is on its way at a time, off the
 * event loop, with everything that came meanwhile in the next. A disk that is full costs lines and not requests; `onTrouble` hears of
 * it once, until a write succeeds again. A reader that has gone ends the log in silence.
 * @throws DrayError `DISK` where the file cannot be opened
 */
export const openLines = async (
  to: string | number,
  { delay = 0, onTrouble = () => {} }: LineOptions = {},
): Promise<Lines> => {
  let fd = typeof to === "number" ? to : await opened(to);
  const where = typeof to === "number" ? `descriptor ${to}` : to;
  let waiting: string[] = [];
  let size = 0;
  let writing: Promise<void> | undefined;
  let troubled = false;
  /** Half a line stands at the end. */
  let torn = false;
  let ended = false;

  const trouble = (message: string): void => {
    if (!troubled) onTrouble(message);
    troubled = true;
  };
  const put = async (text: string): Promise<void> => {
    const bytes = Buffer.from(torn ? `\n${text}` : text);
    let at = 0;
    try {
      while (at < bytes.byteLength) at += await some(fd, bytes, at);
      troubled = false;
      torn = false;
    } catch (error) {
      torn = at > 0 ? bytes[at - 1] !== 10 : torn;
      if (errnoOf(error) === "EPIPE") ended = true;
      else trouble(`cannot write the log to ${where}: ${whyOf(error)}`);
    }
  };
  const drain = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0 && !ended) {
      const text = waiting.join("");
      waiting = [];
      size = 0;
      await put(text);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    if (writing !== undefined) return;
    if (delay === 0 || size > enough) void between(drain);
    else timer ??= setTimeout(() => void between(drain), delay);
  };
  /** Runs when nothing is being written, and before anything else is. */
  const between = (work: () => Promise<void>): Promise<void> => {
    const turn = (writing ?? Promise.resolve()).then(work).finally(() => {
      if (writing !== turn) return;
      writing = undefined;
      // A line may have come between the last look and this moment.
      if (waiting.length > 0 && !ended) soon();
    });
    writing = turn;
    return turn;
  };
  return {
    write: (line) => {
      if (ended) return;
      if (size > most) return trouble(`the log to ${where} is too slow: lines are lost`);
      waiting.push(line);
      size += line.length;
      soon();
    },
    reopen: () =>
      between(async () => {
        await drain();
        if (typeof to === "number" || ended) return;
        try {
          const fresh = await opened(to);
          await files.close(fd);
          fd = fresh;
          torn = false;
        } catch (error) {
          // The old one is still there.
          trouble(`cannot open the log again, and goes on with the old file: ${(error as Error).message}`);
        }
        await drain();
      }),
    close: () =>
      between(async () => {
        await drain();
        if (typeof to === "string" && fd >= 0) await files.close(fd).catch(() => {});
        fd = -1;
        ended = true;
      }),
  };
};

const opened = async (path: string): Promise<number> => {
  try {
    await files.mkdir(dirname(path), { recursive: true });
    return await files.open(path, "a", 0o640);
  } catch (error) {
    throw diskError(error, "write", path);
  }
};

const full: Readonly<Record<string, string>> = { ENOSPC: "the disk is full", EDQUOT: "the disk quota is used up" };

const whyOf = (error: unknown): string => {
  const code = errnoOf(error) ?? "";
  const what = full[code];
  return what === undefined
    ? (error as Error).message
    : `${what} (${code}), and lines are lost until there is room: free some space, or remove old logs`;
};

const some = async (fd: number, bytes: Buffer, at: number): Promise<number> => {
  for (;;) {
    try {
      return (await files.write(fd, bytes, at)).bytesWritten;
    } catch (error) {
      // A pipe that somebody made non-blocking, and that is full.
      if (errnoOf(error) !== "EAGAIN") throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
};
