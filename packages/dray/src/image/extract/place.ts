import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { DrayError } from "../../errors.ts";
import { errnoOf } from "../../files/index.ts";
import { encodeText, isWellFormed } from "../../tar/index.ts";

/** A path as the file system takes it. */
export type Path = string | Buffer;

/**
 * Paths of the tree as places in one directory, which nothing that an image says leads out of: each directory on the way is looked at and has
 * to be one, never a link to one, and what has a name already is taken away and never written through. The directory itself is held open, so
 * that nobody can put another in its place meanwhile.
 */
export class Root {
  readonly #fd: number | undefined;
  readonly #root: string;
  #lastFolder = "";

  constructor(path: string) {
    const isLinux = process.platform === "linux" && existsSync("/proc/self/fd");
    this.#fd = isLinux ? openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW) : undefined;
    this.#root = this.#fd === undefined ? path : `/proc/self/fd/${this.#fd}`;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  /** Where a path is; its directories are not looked at. */
  at(path: string): Path {
    if (path === ".") return `${this.#root}/`;
    if (process.platform === "win32" && /[\\:]/.test(path))
      throw new DrayError("UNSUPPORTED", `entry "${path}" has a name that Windows takes for another`);
    const whole = `${this.#root}/${path}`;
    return isWellFormed(whole) ? whole : Buffer.from(encodeText(whole));
  }

  /** Makes the directories that a path lies in, where they are not there. `made` hears of each. */
  above(path: string, made: (folder: string) => void): void {
    const slash = path.lastIndexOf("/");
    const folder = slash < 0 ? "" : path.slice(0, slash);
    if (folder === this.#lastFolder) return;
    for (let end = folder.indexOf("/"); folder !== ""; end = folder.indexOf("/", end + 1)) {
      const part = end < 0 ? folder : folder.slice(0, end);
      if (this.#isDirectory(part, path) === undefined) {
        mkdirSync(this.at(part), 0o700);
        made(part);
      }
      if (end < 0) break;
    }
    this.#lastFolder = folder;
  }

  /** A directory, made where there is none. */
  directory(path: string): void {
    if (path === ".") return;
    try {
      mkdirSync(this.at(path), 0o700);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      if (lstatSync(this.at(path)).isDirectory()) return;
      this.#clear(path);
      mkdirSync(this.at(path), 0o700);
    }
  }

  /** A new file, open for writing. */
  file(path: string): number {
    return this.#fresh(path, (at) =>
      openSync(at, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o600),
    );
  }

  symlink(path: string, target: string): void {
    const to = isWellFormed(target) ? target : Buffer.from(encodeText(target));
    this.#fresh(path, (at) => symlinkSync(to, at));
  }

  /** @throws DrayError where a path is no directory: a link there would be followed */
  refuseOther(path: string): void {
    if (path !== ".") this.#isDirectory(path, path);
  }

  /** Leaves nothing under a name. */
  remove(path: string): void {
    if (lstatSync(this.at(path), { throwIfNoEntry: false }) !== undefined) this.#clear(path);
  }

  /** A second name of a file. */
  link(path: string, target: string): void {
    const parts = target.split("/");
    for (let length = 1; length < parts.length; length++)
      if (this.#isDirectory(parts.slice(0, length).join("/"), target) === undefined) break;
    this.#fresh(path, (at) => linkSync(this.at(target), at));
  }

  #fresh<T>(path: string, make: (at: Path) => T): T {
    try {
      return make(this.at(path));
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      this.#clear(path);
      return make(this.at(path));
    }
  }

  /** Takes away what is there; of directories those that are empty. */
  #clear(path: string): void {
    if (lstatSync(this.at(path)).isDirectory()) rmdirSync(this.at(path));
    else unlinkSync(this.at(path));
    this.#lastFolder = "";
  }

  #isDirectory(folder: string, path: string): true | undefined {
    const facts = lstatSync(this.at(folder), { throwIfNoEntry: false });
    if (facts === undefined) return undefined;
    if (facts.isDirectory()) return true;
    throw new DrayError("ARCHIVE_INVALID", `entry "${path}" lies below "${folder}", which is no directory`);
  }
}
