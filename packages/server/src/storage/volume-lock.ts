import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { sqlite } from "@dray/service/sqlite";
import { DrayError } from "dray/errors";
import { type FileSystem, isAlive, type Lock, lock, type ProcessIdentity, thisProcess } from "dray/internal/files";

/** A volume that is one process's own. */
export interface VolumeLock extends Lock {
  /**
   * Sees that it still is: a lock file that somebody removed is made again.
   * @throws DrayError `LOCKED` where another process was first
   */
  keep?(): void;
}

/** Makes a volume one process's own. `path` is where the lock may lie, `what` names the volume and `who` this process, for messages. */
export type LockVolume = (fs: FileSystem, path: string, what: string, who?: string) => Promise<VolumeLock>;

/**
 * A lock that ends with its process, however that ends: the system's own lock of a file, which a database takes for us. Whoever comes
 * after a kill, after a power cut or in a new container has it at once, where a lock of names would have to wait until its
 * holder is known to be dead. The holder's name lies beside it: for messages, and because a lock file can be removed under a holder
 * that lives. File systems that know no such locks get the lock of names.
 * @throws DrayError `LOCKED` naming the holder
 */
export const lockVolume: LockVolume = async (fs, path, what, who = "dray") => {
  const file = `${path}.lock`;
  const named = `${path}.holder`;
  const take = (): Held | undefined => {
    const before = readHolder(named);
    const database = exclusive(file, () => held(what, before));
    if (database === undefined) return undefined;
    if (mayHold(before, named) && isAlive(before.process)) {
      database.close();
      throw held(what, before);
    }
    writeHolder(named, who);
    kept.add(database);
    return { database, ino: inodeOf(file) };
  };
  const letGo = ({ database }: Held): void => {
    kept.delete(database);
    database.close();
  };
  let mine = take();
  if (mine === undefined) return lock(fs, path, what);
  return {
    keep: () => {
      if (mine === undefined || inodeOf(file) === mine.ino) return;
      const again = take();
      if (again === undefined) return;
      letGo(mine);
      mine = again;
    },
    release: async () => {
      if (mine === undefined) return;
      // Somebody else's, by now, where the file is another one.
      if (inodeOf(file) === mine.ino) rmSync(named, { force: true, recursive: true });
      letGo(mine);
      mine = undefined;
    },
  };
};

interface Held {
  readonly database: DatabaseSync;
  readonly ino: number | undefined;
}

/** A database that is collected lets its lock go: these stay until they are released. */
const kept = new Set<DatabaseSync>();

/** `undefined` where the file system cannot lock. */
const exclusive = (file: string, taken: () => DrayError): DatabaseSync | undefined => {
  let database: DatabaseSync | undefined;
  try {
    database = new (sqlite().DatabaseSync)(file, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    // SQLITE_BUSY and its kin: somebody has it.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) throw taken();
    return undefined;
  }
};

interface Holder {
  /** In words. */
  readonly name: string;
  readonly process?: ProcessIdentity | undefined;
  /** The folder that it holds: in a copy of a volume lies the name of who holds the original. */
  readonly folder?: string | undefined;
}

const mayHold = (holder: Holder | undefined, file: string): holder is Holder & { process: ProcessIdentity } => {
  if (holder?.process === undefined || isOurs(holder.process)) return false;
  return holder.folder === undefined || holder.folder === folderOf(file);
};

/** What tells the folder of a file from every other one. */
const folderOf = (file: string): string => {
  const { dev, ino } = statSync(dirname(file));
  return `${dev}.${ino}`;
};

/** Words in its first line, and in the second what tells whether that process lives. */
const writeHolder = (file: string, who: string): void => {
  try {
    writeFileSync(
      file,
      `${who} (process ${process.pid} on ${hostname()})\n${JSON.stringify({ ...thisProcess(), folder: folderOf(file) })}\n`,
    );
  } catch {
    // It is only said less well then who holds it.
  }
};

const readHolder = (file: string): Holder | undefined => {
  try {
    const [name = "", identity] = readFileSync(file, "utf8").split("\n");
    if (name === "") return undefined;
    if (identity === undefined || identity === "") return { name };
    const { folder, ...process } = JSON.parse(identity) as ProcessIdentity & Pick<Holder, "folder">;
    return { name, process, folder };
  } catch {
    return undefined;
  }
};

const isOurs = ({ pid, started, machine }: ProcessIdentity): boolean => {
  const own = thisProcess();
  return pid === own.pid && started === own.started && machine === own.machine;
};

const inodeOf = (file: string): number | undefined => {
  try {
    return statSync(file).ino;
  } catch {
    return undefined;
  }
};

const held = (what: string, holder: Holder | undefined): DrayError =>
  new DrayError(
    "LOCKED",
    `${what} is held by ${holder?.name ?? "another process"}; one at a time may write to it: stop that one or wait until it has ended, choose another folder, or only read it beside that one (--read-only)`,
    { retryable: true },
  );
