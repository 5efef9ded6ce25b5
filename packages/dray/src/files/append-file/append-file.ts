import { DrayError, isDrayError } from "../../errors.ts";
import { type HashPool, ThreadedHash } from "../../hash/index.ts";
import type { Digest, DigestAlgorithm } from "../../oci/index.ts";
import { ThreadEnded } from "../../threads/index.ts";
import { diskError, errnoOf } from "../disk-error.ts";
import { type AppendTarget, InPlace } from "./in-place.ts";

/** Append-only file with a running hash. Calls are answered in their order, also where nobody waits between them. */
export interface AppendFile {
  /** Bytes that are written and hashed: what a client may be told. Appended ones count when `flush` resolves. */
  readonly size: number;
  /**
   * Takes bytes, which stay the caller's own once this resolves. It resolves when there is room for more, not when they are written.
   * @throws DrayError `DISK`, also for a write before; nothing is written behind one that failed
   */
  append(chunk: Uint8Array): Promise<void>;
  /**
   * Resolves when all that was appended is written, with the size.
   * @throws DrayError `DISK`, again and again until `truncate`; the file has a beginning of what was appended, without holes
   */
  flush(): Promise<number>;
  /** Flushes, and tells the digest of the whole; of another algorithm than the announced one by hashing it once more. */
  digest(algorithm?: DigestAlgorithm): Promise<Digest>;
  /** Goes back to a size it had and forgets what failed, but for a sync, which is final. If it fails itself, it can be tried again. */
  truncate(size: number): Promise<void>;
  /** Flushes and lets go; the file stays. Safe to call twice. @throws DrayError `DISK`, also where some of it may never reach the disk */
  close(): Promise<void>;
}

export interface AppendFileOptions {
  /** The hash that runs along. None: nothing is hashed. */
  readonly algorithm?: DigestAlgorithm;
  /** Where the content begins in the file. Default 0. */
  readonly position?: number;
  /** Bytes of it that are there and are hashed first. Default: the file to its end. */
  readonly there?: number;
  /** From so many bytes on another thread hashes and writes, where the file has a number. Default: never. */
  readonly threadFrom?: number;
  /** The threads. Default: those that this process shares. */
  readonly pool?: HashPool;
  /** It will be brought to the disk in the end: that begins early, so that the end finds little left. Default `false`. */
  readonly durable?: boolean;
  /** Ends the hashing of what is there. */
  readonly signal?: AbortSignal | undefined;
  /** The file is somebody else's: it is not closed. Default `false`. */
  readonly keepOpen?: boolean;
}

/**
 * Makes a file grow. What it holds already is hashed before this resolves. The file is closed if this rejects, too.
 * @param path for messages
 */
export const appendFile = async (
  file: AppendTarget,
  path: string,
  options: AppendFileOptions = {},
): Promise<AppendFile> => {
  const growing = new Growing(file, path, options);
  try {
    await growing.open();
    return growing;
  } catch (error) {
    if (options.keepOpen !== true) await file.close().catch(() => {});
    throw error;
  }
};

/** Longer chunks wait for room in between: whoever comes meanwhile has to wait, too. */
const atOnce = 1024 * 1024;
/** Bytes that come before they are begun to be synced: enough for the disk to write in one go. */
const syncShare = 16 * 1024 * 1024;

/** A file is the same in all threads; those of Deno have descriptors of their own. */
const threadsShareFiles = (): boolean => !("deno" in process.versions);

class Growing implements AppendFile {
  readonly #file: AppendTarget;
  /** By which threads know the file. */
  readonly #fd: number | undefined;
  readonly #path: string;
  readonly #options: AppendFileOptions;
  readonly #position: number;
  #size = 0;
  /** Bytes with those that were appended since. */
  #end = 0;
  #writer: ThreadedHash | InPlace | undefined;
  /** Bytes up to which the present writer goes on. */
  #upTo = -1;
  #digest: Digest | undefined;
  /** After it nothing is written any more: there would be a gap. */
  #failure: { readonly error: unknown; readonly final: boolean } | undefined;
  #syncAt = Number.POSITIVE_INFINITY;
  #syncing: Promise<void> | undefined;
  /** The last of the calls that are not over, where one of them is more than a chunk for the present writer. */
  #queue: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(file: AppendTarget, path: string, options: AppendFileOptions) {
    this.#file = file;
    this.#fd = threadsShareFiles() ? file.fd : undefined;
    this.#path = path;
    this.#options = options;
    this.#position = options.position ?? 0;
  }

  /** Looks at what is there, and hashes it. */
  async open(): Promise<void> {
    const { durable, there } = this.#options;
    const size = there ?? (await this.#tried("read", async () => (await this.#file.stat()).size - this.#position));
    this.#size = size;
    this.#end = size;
    if (durable === true) this.#syncAt = size + syncShare;
    if (size > 0) await this.#begin(size);
  }

  get size(): number {
    return this.#size;
  }

  append(chunk: Uint8Array): Promise<void> {
    const writer = this.#writer;
    const end = this.#end + chunk.byteLength;
    if (
      writer === undefined ||
      this.#queue !== undefined ||
      end > this.#upTo ||
      chunk.byteLength > atOnce ||
      writer.isLost
    )
      return this.#alone(() => this.#append(chunk));
    this.#end = end;
    if (end >= this.#syncAt) this.#syncEarly();
    return writer.update(chunk);
  }

  flush(): Promise<number> {
    return this.#alone(() => this.#flush());
  }

  digest(algorithm = this.#options.algorithm): Promise<Digest> {
    if (algorithm === undefined) return Promise.reject(new Error("nobody has asked for a digest"));
    return this.#alone(async () => {
      await this.#flush();
      if (algorithm !== this.#options.algorithm) return this.#hashedAgain(algorithm);
      if (this.#digest !== undefined) return this.#digest;
      if (this.#writer === undefined || this.#writer.isLost) await this.#begin(this.#end);
      const digest = await this.#tried("read", () => (this.#writer as ThreadedHash | InPlace).digest());
      this.#letGo();
      this.#digest = digest;
      return digest;
    });
  }

  truncate(size: number): Promise<void> {
    return this.#alone(async () => {
      await this.#settled();
      if (this.#failure?.final === true) throw this.#failure.error;
      this.#letGo();
      this.#digest = undefined;
      this.#failure ??= { error: new DrayError("DISK", `cannot write ${this.#path}: it is being cut`), final: false };
      await this.#tried("write", () => this.#file.truncate(this.#position + size));
      this.#size = size;
      this.#end = size;
      this.#failure = undefined;
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#alone(() => this.#close());
    return this.#closed;
  }

  async #append(chunk: Uint8Array): Promise<void> {
    this.#check();
    await this.#ready(this.#end + chunk.byteLength);
    this.#end += chunk.byteLength;
    if (this.#end >= this.#syncAt) this.#syncEarly();
    await this.#writer?.update(chunk);
  }

  async #flush(): Promise<number> {
    this.#check();
    try {
      if (this.#writer?.isLost !== true) await this.#writer?.flush();
    } catch (error) {
      this.#failure ??= { error, final: false };
      throw error;
    }
    this.#check();
    this.#size = this.#end;
    return this.#size;
  }

  async #close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#settled();
      this.#letGo();
      if (this.#options.keepOpen !== true) await this.#tried("write", () => this.#file.close());
    }
    this.#check();
  }

  /** Sees that there is a writer for so many bytes in all. */
  async #ready(size: number): Promise<void> {
    if (this.#writer !== undefined && size <= this.#upTo && !this.#writer.isLost) return;
    if (this.#writer !== undefined) await this.#flush();
    await this.#begin(size);
  }

  /** Begins to write behind what is there, which is hashed first; where so many bytes in all are written best. */
  async #begin(size: number): Promise<void> {
    this.#letGo();
    this.#digest = undefined;
    const { threadFrom = Number.POSITIVE_INFINITY } = this.#options;
    const threaded = this.#fd !== undefined && size > threadFrom;
    try {
      this.#writer = await this.#hashed(this.#options.algorithm, threaded);
    } catch (error) {
      // What was to be appended is lost: whatever follows must not be written behind the gap.
      this.#failure ??= { error, final: false };
      throw error;
    }
    this.#upTo = threaded || this.#fd === undefined ? Number.POSITIVE_INFINITY : threadFrom;
  }

  async #hashedAgain(algorithm: DigestAlgorithm): Promise<Digest> {
    const { threadFrom = Number.POSITIVE_INFINITY } = this.#options;
    const hash = await this.#hashed(algorithm, this.#fd !== undefined && this.#end > threadFrom);
    try {
      return await this.#tried("read", () => hash.digest());
    } finally {
      hash.abandon();
    }
  }

  /** A writer that has hashed what is there. @throws DrayError `DISK`, also where that is less than was written */
  async #hashed(algorithm: DigestAlgorithm | undefined, threaded: boolean): Promise<ThreadedHash | InPlace> {
    const [position, there] = [this.#position, this.#end];
    const explain = (error: unknown): unknown => this.#explained("write", error);
    const fd = this.#fd;
    const { pool } = this.#options;
    const writer =
      threaded && fd !== undefined && algorithm !== undefined
        ? new ThreadedHash({ algorithm, to: { fd, position }, there, explain, pool })
        : new InPlace(this.#file, position + there, algorithm, explain);
    if (there === 0 || algorithm === undefined) return writer;
    try {
      const { signal } = this.#options;
      const found = await this.#tried("read", () =>
        writer instanceof InPlace ? writer.read(there, signal) : writer.read(signal),
      );
      if (found === there) return writer;
      throw new DrayError(
        "DISK",
        `cannot read ${this.#path}: it has ${found} bytes where ${there} were written; somebody else cut it`,
      );
    } catch (error) {
      writer.abandon();
      throw error;
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #letGo(): void {
    this.#writer?.abandon();
    this.#writer = undefined;
    this.#upTo = -1;
  }

  /** Resolves when nothing is on its way, whatever became of it. */
  async #settled(): Promise<void> {
    await this.#writer?.flush().catch(() => {});
    await this.#syncing;
  }

  /** Brings what is written to the disk while more comes, so that whoever waits for the disk in the end finds little left. */
  #syncEarly(): void {
    const begun = this.#end;
    this.#syncAt = Number.POSITIVE_INFINITY;
    this.#syncing = this.#file.sync().then(
      () => {
        this.#syncAt = begun + syncShare;
      },
      (error: unknown) => this.#forsake(error),
    );
  }

  /**
   * The system tells of a sync that failed once and may have dropped what was written, so the next one would succeed. Nobody may go on
   * with such bytes: what reads the file finds them in memory.
   */
  async #forsake(cause: unknown): Promise<void> {
    this.#failure = { error: this.#explained("write", cause), final: true };
    this.#upTo = -1;
    await this.#writer?.flush().catch(() => {});
    // Whoever goes on with it has this disk to deal with as well.
    await this.#file.truncate(this.#position).catch(() => {});
  }

  #explained(doing: string, error: unknown): unknown {
    if (isDrayError(error)) return error;
    if (errnoOf(error) !== undefined) return diskError(error, doing, this.#path);
    const { message } = error as Error;
    return new DrayError("DISK", `cannot ${doing} ${this.#path}: ${message}`, {
      cause: error,
      retryable: error instanceof ThreadEnded,
    });
  }

  async #tried<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#explained(doing, error);
    }
  }

  /** One call after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined)
      return Promise.reject(new DrayError("DISK", `cannot write ${this.#path}: it is closed`));
    const result = this.#queue === undefined ? work() : this.#queue.then(work);
    const over = (): void => {
      if (this.#queue === last) this.#queue = undefined;
    };
    const last: Promise<void> = result.then(over, over);
    this.#queue = last;
    return result;
  }
}
