import { dirname } from "node:path";
import { DrayError } from "dray/errors";
import { type FileFacts, type FileSystem, ifPossible } from "dray/internal/files";

/**
 * Links in a volume, which an operator sets to other disks. One that leads nowhere, in circles, or to a folder with nothing in it is of a disk
 * that is not mounted. A folder with something in it is listed again only when it has changed: it may be large, and whoever asks for what is
 * not there has us look at it.
 */
export class Links {
  readonly #fs: FileSystem;
  /** Folders with something in them, as they were when they were listed, by the links that lead to them. */
  readonly #filled = new Map<string, FileFacts>();

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** @throws DrayError where a path is not there because a link on the way is broken */
  async refuseBroken(path: string): Promise<void> {
    for (let at = path; ; at = dirname(at)) {
      const facts = await ifPossible(() => this.#fs.lstat(at));
      if (facts === undefined && at !== dirname(at)) continue;
      if (facts?.isSymbolicLink() !== true) return;
      const end = await ifPossible(() => this.#fs.stat(at));
      if (end !== undefined && (!end.isDirectory() || (await this.#isFilled(at, end)))) return;
      const [where, meant] =
        end === undefined
          ? ["nowhere", ""]
          : ["to a folder with nothing in it", "; where nothing is to be in it yet, put any file into it"];
      throw new DrayError(
        "DISK",
        `cannot look at ${path}: ${at} is a link that leads ${where}; mount what it leads to, or remove it${meant}`,
      );
    }
  }

  async #isFilled(link: string, folder: FileFacts): Promise<boolean> {
    const known = this.#filled.get(link);
    if (known?.dev === folder.dev && known.ino === folder.ino && known.mtimeMs === folder.mtimeMs) return true;
    this.#filled.delete(link);
    const isFilled = (await this.#fs.readdir(link)).length > 0;
    if (isFilled) this.#filled.set(link, folder);
    return isFilled;
  }
}
