import { dirname } from "node:path";
import { DrayError } from "dray/errors";
import { errnoOf, type FileFacts, type FileSystem, type OpenFile } from "dray/internal/files";
import { isElsewhere, trunk } from "./own-folder.ts";

/** What tells a folder from another one under the same name. */
type Identity = Pick<FileFacts, "dev" | "ino">;

/** What was there at one time. */
interface Found {
  readonly known: ReadonlyMap<string, Identity>;
  /** Of the folder above the root; `undefined` where the root is what is mounted. */
  readonly above: Identity | undefined;
  /** The root, kept in use. */
  readonly root: OpenFile | undefined;
}

/**
 * The folders that a volume hangs on, as they were when it was opened: its root, and whatever lies below that on another file system. A
 * disk that is unmounted leaves another folder in its place, or none, and that looks like a registry that is empty. Who empties a
 * folder leaves the folder itself; a root that somebody removed is made again.
 */
export class Anchors {
  readonly #fs: FileSystem;
  readonly #folder: string;
  readonly #makeRoot: () => Promise<boolean>;
  #found: Found | undefined;
  /** While the root is looked at, and made again: whoever comes meanwhile waits for that. */
  #ready: Promise<void> | undefined;

  /** @param makeRoot makes a root again that somebody removed, or tells that it may not be */
  constructor(fs: FileSystem, folder: string, makeRoot: () => Promise<boolean>) {
    this.#fs = fs;
    this.#folder = folder;
    this.#makeRoot = makeRoot;
  }

  /** From now on it is what is there now. A folder that is not there yet may come. */
  async take(): Promise<void> {
    const before = this.#found?.root;
    this.#found = await found(this.#fs, this.#folder);
    await letGo(before);
  }

  /** Lets go of them. */
  async close(): Promise<void> {
    await letGo(this.#found?.root);
  }

  /** @throws DrayError `DISK` naming what is not there any more, and what ends that */
  async check(): Promise<void> {
    for (;;) {
      const before = this.#found;
      try {
        await this.#compare(before);
        return;
      } catch (error) {
        // A root that is being made again is another folder until that is known.
        await this.#ready?.catch(() => {});
        if (this.#found === before) throw error;
      }
    }
  }

  /** For all who are about to make folders, at once: a root that somebody removed is there again. @throws DrayError `DISK` where the volume is gone */
  makeReady(): Promise<void> {
    this.#ready ??= this.#makeReady().finally(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  async #makeReady(): Promise<void> {
    try {
      await this.#compare(this.#found);
    } catch (why) {
      if (!(await this.#wasRemoved()) || !(await this.#makeRoot())) throw why;
      await this.take();
      await this.#compare(this.#found);
    }
  }

  /** Whether somebody took the root away from a place that is still the same: no disk went with it. */
  async #wasRemoved(): Promise<boolean> {
    const above = this.#found?.above;
    if (above === undefined || (await this.#lookAt(this.#folder)) !== undefined) return false;
    return isSame(await this.#lookAt(dirname(this.#folder)), above);
  }

  async #compare(found: Found | undefined): Promise<void> {
    for (const [path, before] of found?.known ?? []) {
      const now = await this.#lookAt(path);
      if (isSame(now, before)) continue;
      const what =
        now === undefined
          ? `nothing is at ${path} any more`
          : `another ${now.dev === before.dev ? "folder" : "file system"} is at ${path} than at the start`;
      throw new DrayError(
        "DISK",
        `the volume ${this.#folder} is gone: ${what}; mount the volume again, or start again to serve what is there`,
      );
    }
  }

  async #lookAt(path: string): Promise<Identity | undefined> {
    try {
      return await this.#fs.stat(path);
    } catch (error) {
      const why = errnoOf(error);
      if (why !== undefined && nothing.has(why)) return undefined;
      throw new DrayError(
        "DISK",
        `cannot look at ${path}, which the volume ${this.#folder} hangs on (${why ?? "unknown"})`,
        {
          cause: error,
        },
      );
    }
  }
}

/**
 * What is there now. The root is kept in use: file systems that make up the numbers of their folders, as overlays of several disks and those
 * of user space do, give one that nobody uses another number when memory is short.
 */
const found = async (fs: FileSystem, folder: string): Promise<Found> => {
  // Not every system opens folders.
  const root = await fs.open(folder, "r").catch(() => undefined);
  if (root !== undefined) kept.add(root);
  const known = new Map<string, Identity>();
  for (const path of [folder, ...(await hanging(fs, folder))]) {
    const facts = await fs.stat(path).catch(() => undefined);
    if (facts !== undefined) known.set(path, { dev: facts.dev, ino: facts.ino });
  }
  const above = dirname(folder);
  const isMounted = await isElsewhere(fs, above, folder);
  return { known, above: isMounted ? undefined : await fs.stat(above).catch(() => undefined), root };
};

/** A file that is collected ends the process under Bun: these stay until they are closed. */
const kept = new Set<OpenFile>();

const letGo = async (root: OpenFile | undefined): Promise<void> => {
  if (root !== undefined && kept.delete(root)) await root.close().catch(() => {});
};

/** What systems say where there is nothing, or no disk or server behind it any more. */
const nothing: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ESTALE", "ENOTCONN", "ENODEV", "ENXIO"]);

const isSame = (a: Identity | undefined, b: Identity): boolean => a?.dev === b.dev && a.ino === b.ino;

/** Below the root: links that lead elsewhere, and what is mounted. */
const hanging = async (fs: FileSystem, folder: string): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  for (const place of trunk.filter((name) => name !== "")) {
    const path = `${folder}/${place}`;
    const facts = await fs.lstat(path).catch(() => undefined);
    if (facts === undefined) continue;
    if (facts.isSymbolicLink() || (await isElsewhere(fs, dirname(path), path))) found.add(path);
  }
  for (const path of await mountsBelow(fs, `${folder}/docker`)) found.add(path);
  return found;
};

/** Repositories may be mounted one by one. Only Linux tells where. */
const mountsBelow = async (fs: FileSystem, folder: string): Promise<readonly string[]> => {
  if (process.platform !== "linux") return [];
  const real = await fs.realpath(folder).catch(() => undefined);
  const table = await fs.readFile("/proc/self/mountinfo").catch(() => undefined);
  if (real === undefined || table === undefined) return [];
  const places = new TextDecoder().decode(table).split("\n");
  return places
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path.startsWith(`${real}/`));
};
