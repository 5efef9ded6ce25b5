import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { DrayError } from "dray/errors";
import { errnoOf, type FileSystem, type Lock, lock } from "dray/internal/files";

/** Makes a volume one process's own. `path` is where the lock may lie, `what` names the volume for messages. */
export type LockVolume = (fs: FileSystem, path: string, what: string) => Promise<Lock>;

/**
 * A lock that ends with its process, however that ends: the system's own lock of a file, which a database takes for us. Whoever comes
 * after a kill, after a power cut or in a new container has it at once, where a lock of names would have to wait until its
 * holder is known to be dead. The holder's name lies beside it. File systems that know no such locks get the lock of names.
 * @throws DrayError `LOCKED` naming the holder
 */
export const lockVolume: LockVolume = async (fs, path, what) => {
  const file = `${path}.lock`;
  const named = `${path}.holder`;
  const database = exclusive(file, () => held(what, named));
  if (database === undefined) return lock(fs, path, what);
  try {
    writeFileSync(named, `process ${process.pid} on ${hostname()}`);
  } catch (error) {
    database.close();
    throw error;
  }
  kept.add(database);
  return {
    release: async () => {
      rmSync(named, { force: true });
      kept.delete(database);
      database.close();
    },
  };
};

/** A database that is collected lets its lock go: these stay until they are released. */
const kept = new Set<DatabaseSync>();

/** `undefined` where the file system cannot lock. */
const exclusive = (file: string, taken: () => DrayError): DatabaseSync | undefined => {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    // SQLITE_BUSY and its kin: somebody has it.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) throw taken();
    return undefined;
  }
};

const held = (what: string, named: string): DrayError => {
  let holder = "another process";
  try {
    holder = readFileSync(named, "utf8") || holder;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  return new DrayError(
    "LOCKED",
    `${what} is served by ${holder}; one Dray serves a volume at a time: stop that one, or choose another folder`,
    { retryable: true },
  );
};
