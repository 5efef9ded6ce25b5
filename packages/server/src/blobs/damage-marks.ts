import { isDrayError } from "dray/errors";
import { algorithmOf, type Digest, hexOf, isDigest } from "dray/oci";
import type { Notice } from "../notice.ts";
import type { Driver, Facts } from "../storage/index.ts";

/** Beside the tree: a restart finds them there. */
const folder = "dray/damaged";
const fileOf = (digest: Digest): string => `${folder}/${algorithmOf(digest)}/${hexOf(digest)}`;

/** Which file was found damaged: another one under its name is not meant. */
export type Mark = Pick<Facts, "size" | "mtime" | "ino">;

/** For data that somebody needs and that is not there: no file is like it. */
const absent: Mark = { size: -1, mtime: 0, ino: 0 };

/**
 * Marks of data that is not what its name says, or that is missing where a manifest needs it, kept across restarts: a file for each. Where none can be written they last as long as
 * the process.
 */
export class DamageMarks {
  readonly #driver: Driver;
  readonly #onNotice: (notice: Notice) => void;
  readonly #marks = new Map<Digest, Mark>();
  /** By digest; `undefined` until they were loaded. */
  known: ReadonlyMap<Digest, Mark> | undefined;
  #loading: Promise<ReadonlyMap<Digest, Mark>> | undefined;
  #told = false;

  constructor(driver: Driver, onNotice: (notice: Notice) => void) {
    this.#driver = driver;
    this.#onNotice = onNotice;
  }

  /** Those of damage. */
  get damaged(): Digest[] {
    return [...this.#marks].flatMap(([digest, { size }]) => (size === absent.size ? [] : [digest]));
  }

  /** Reads the marks of earlier processes, once. That they cannot be read is told once, and tried again whenever somebody asks. */
  load(): Promise<ReadonlyMap<Digest, Mark>> {
    this.#loading ??= this.#read().then(
      () => {
        this.known = this.#marks;
        return this.#marks;
      },
      (error: Error) => {
        this.#loading = undefined;
        if (!this.#told)
          this.#onNotice({ level: "error", message: `marks of damaged blobs cannot be read: ${error.message}` });
        this.#told = true;
        return this.#marks;
      },
    );
    return this.#loading;
  }

  async set(digest: Digest, { size, mtime, ino }: Mark): Promise<void> {
    const mark = { size, mtime, ino };
    this.#marks.set(digest, mark);
    const bytes = new TextEncoder().encode(`${JSON.stringify(mark)}\n`);
    await this.#driver.write(fileOf(digest), bytes).catch((error: unknown) => {
      // Who only reads the volume keeps it for himself.
      if (isDrayError(error, "DENIED")) return;
      const message = `a mark of damage lasts no longer than the process: ${(error as Error).message}`;
      this.#onNotice({ level: "warn", message, digest });
    });
  }

  /** The data is not there, and is needed. */
  async miss(digest: Digest): Promise<void> {
    if (this.#marks.get(digest)?.size !== absent.size) await this.set(digest, absent);
  }

  async remove(digest: Digest): Promise<void> {
    if (!this.#marks.delete(digest)) return;
    // One that stays behind means a file that is gone.
    await this.#driver.remove(fileOf(digest), { durable: false }).catch(() => {});
  }

  async #read(): Promise<void> {
    for (const algorithm of ["sha256", "sha512"] as const)
      for (const hex of (await this.#driver.list(`${folder}/${algorithm}`)) ?? []) {
        const digest = `${algorithm}:${hex}`;
        const bytes = isDigest(digest) ? await this.#driver.read(fileOf(digest)) : undefined;
        const mark = bytes && markIn(bytes);
        if (isDigest(digest) && mark !== undefined) this.#marks.set(digest, mark);
      }
    await this.#driver.refuseGone?.();
  }
}

/** `undefined`: a file that is cut off, or somebody else's. */
const markIn = (bytes: Uint8Array): Mark | undefined => {
  try {
    const { size, mtime, ino } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    return typeof size === "number" && typeof mtime === "number" && typeof ino === "number"
      ? { size, mtime, ino }
      : undefined;
  } catch {
    return undefined;
  }
};
