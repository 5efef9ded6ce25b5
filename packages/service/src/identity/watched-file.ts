import { isDrayError, printable, reasonOf } from "dray/errors";
import { type FileFacts, type FileSystem, nodeFiles, onDisk } from "dray/internal/files";
import type { Notice } from "../observe/index.ts";

export interface WatchedOptions {
  readonly files?: FileSystem;
  readonly now?: () => number;
  readonly onNotice?: (notice: Notice) => void;
}

/** How long a file is taken to be as it was. */
const recheck = 1000;

/**
 * What a file says, read again when the file is another one: looked at once a second at most, by the request that comes then. A file
 * that can no longer be read or understood says what it said last, and a warning tells of it once.
 */
export class WatchedFile<T> {
  readonly path: string;
  readonly #read: (bytes: Uint8Array) => T | Promise<T>;
  readonly #options: Required<WatchedOptions>;
  #last: Reading<T>;
  #checked: number;
  #checking: Promise<void> | undefined;
  #complaint: string | undefined;

  private constructor(
    first: Reading<T>,
    path: string,
    read: (bytes: Uint8Array) => T | Promise<T>,
    options: Required<WatchedOptions>,
  ) {
    this.path = path;
    this.#read = read;
    this.#options = options;
    this.#last = first;
    this.#checked = options.now();
  }

  /** @throws DrayError `DISK` where it cannot be read; what `read` throws. */
  static async open<T>(
    path: string,
    read: (bytes: Uint8Array) => T | Promise<T>,
    { files = nodeFiles, now = Date.now, onNotice = () => {} }: WatchedOptions = {},
  ): Promise<WatchedFile<T>> {
    return new WatchedFile(await readFile(path, read, { files, now }), path, read, { files, now, onNotice });
  }

  get value(): T {
    return this.#last.value;
  }

  /** Something to wait for before `value` is asked for, once a second. */
  fresh(): Promise<void> | undefined {
    const now = this.#options.now();
    if (this.#checking !== undefined) return this.#checking;
    // A clock that was set back must not end the checks.
    if (now >= this.#checked && now - this.#checked < recheck) return undefined;
    return this.reload({ always: false });
  }

  /** Reads it now. `always: false`: only if it is another file than before. */
  reload({ always = true }: { always?: boolean } = {}): Promise<void> {
    if (this.#checking !== undefined && !always) return this.#checking;
    const before = this.#checking ?? Promise.resolve();
    const checking: Promise<void> = before
      .then(() => this.#check(always))
      .finally(() => {
        if (this.#checking === checking) this.#checking = undefined;
      });
    this.#checking = checking;
    return checking;
  }

  async #check(always: boolean): Promise<void> {
    this.#checked = this.#options.now();
    try {
      if (!always && this.#last.seen !== undefined) {
        const facts = await onDisk("read", this.path, () => this.#options.files.stat(this.path));
        if (identityOf(facts) === this.#last.seen) return;
      }
      this.#last = await readFile(this.path, this.#read, { ...this.#options, last: this.#last });
      this.#complaint = undefined;
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const why = isDrayError(error) ? error.message : printable(reasonOf(error));
    if (why === this.#complaint) return;
    this.#complaint = why;
    this.#options.onNotice({
      level: "warn",
      message: `${printable(this.path)} stays in force as it was last read: ${why}`,
    });
  }
}

interface Reading<T> {
  readonly value: T;
  readonly bytes: Uint8Array;
  /** Which file it was; nothing where it is so young that another writer could leave the same facts. */
  readonly seen: string | undefined;
}

const young = 2000;

/** The facts come from before the bytes: what is written in between makes the file another one at the next look. */
const readFile = async <T>(
  path: string,
  read: (bytes: Uint8Array) => T | Promise<T>,
  { files, now, last }: { files: FileSystem; now: () => number; last?: Reading<T> },
): Promise<Reading<T>> => {
  const facts = await onDisk("read", path, () => files.stat(path));
  const seen = now() - facts.mtimeMs < young ? undefined : identityOf(facts);
  const bytes = await onDisk("read", path, () => files.readFile(path));
  // The same value for the same bytes, so that nothing that hangs on it is done again.
  const same = last !== undefined && Buffer.compare(last.bytes, bytes) === 0;
  return { value: same ? last.value : await read(bytes), bytes, seen };
};

const identityOf = ({ ino, mtimeMs, size }: FileFacts): string => `${ino} ${mtimeMs} ${size}`;
