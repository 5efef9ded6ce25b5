import { mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { reasonOf } from "dray/errors";
import type { Notice } from "../observe/index.ts";
import { isOnNetwork } from "./network-file-system.ts";
import { sqlite } from "./sqlite.ts";

/** What a program keeps in a database, all of which can be made again. */
export interface DatabaseFormat {
  /** In words: `the index`. */
  readonly name: string;
  /** Tells its file from other databases: SQLite's `application_id`. */
  readonly application: number;
  /** Goes up when the tables change: a file of another version is begun anew. */
  readonly version: number;
  readonly tables: readonly string[];
  /** The statements that make them. */
  readonly schema: string;
}

export interface OpenOptions {
  readonly onNotice: (notice: Notice) => void;
  /** Whether the file lies on a network file system. Default: as the system's own table of mounts says. */
  readonly network?: boolean;
}

/**
 * Opens the file with its tables. What it cannot use it begins anew, since nothing in it is lost: a damaged file, another version,
 * a file that is no database. Where there can be no file at all, it goes on in memory. It never refuses: whether a file is anybody else's
 * is asked before, where somebody named it (`foreignFile`).
 */
export const openDatabase = (file: string, format: DatabaseFormat, options: OpenOptions): DatabaseSync => {
  if (file === ":memory:") return opened(file, format, options);
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    try {
      return opened(file, format, options);
    } catch (error) {
      // Somebody else's is no damage, and not ours to remove.
      if (errcodeOf(error) === busy || error instanceof Foreign) throw error;
      const message = `${format.name} is begun anew, because ${file} cannot be used: ${reasonOf(error)}`;
      options.onNotice({ level: "warn", message });
      removeDatabase(file);
      return opened(file, format, options);
    }
  } catch (error) {
    const message = `${format.name} is kept in memory and made again with each start, because there can be no ${file}: ${reasonOf(error)}`;
    options.onNotice({ level: "error", message });
    return opened(":memory:", format, options);
  }
};

/** A database of another program, such as accounts: removing it because of a slip in a setting would be a loss. */
class Foreign extends Error {}

/** Removes a database with the files beside it; a directory is none. */
export const removeDatabase = (file: string): void => {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
};

const busy = 5;
export const corrupt = 11;
export const noDatabase = 26;

/** SQLite's own number for what went wrong, without its details. */
export const errcodeOf = (error: unknown): number | undefined => {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
};

const opened = (file: string, format: DatabaseFormat, options: OpenOptions): DatabaseSync => {
  const database = new (sqlite().DatabaseSync)(file);
  try {
    prepare(database, file, format, options);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

const prepare = (database: DatabaseSync, file: string, format: DatabaseFormat, { network }: OpenOptions): void => {
  const { application, version, tables, schema } = format;
  // One process has it, for as long as it runs: no locks are taken by the call, and no memory is shared.
  database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=1000; PRAGMA cache_size=-16000");
  database.exec("PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY");
  if (file !== ":memory:") {
    const mode = (network ?? isOnNetworkFileSystem(file)) ? "TRUNCATE" : "WAL";
    retried(() => database.exec(`PRAGMA journal_mode=${mode}; PRAGMA synchronous=NORMAL`));
  }
  database.exec("BEGIN IMMEDIATE");
  const number = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  const found = number("user_version");
  const isNew = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isNew) database.exec(`${schema} PRAGMA user_version=${version}; PRAGMA application_id=${application}`);
  else if (number("application_id") !== application) throw new Foreign("it is a database of another program");
  else if (found !== version) throw new Error(`it has version ${found} of its tables, and this is ${version}`);
  else for (const table of tables) database.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
  database.exec("COMMIT");
};

/** Changing the mode fails at once where somebody reads, whatever the timeout. */
const retried = (work: () => void): void => {
  for (let attempt = 1; ; attempt++)
    try {
      work();
      return;
    } catch (error) {
      if (errcodeOf(error) !== busy || attempt === 20) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
};

/** Whether a database there cannot be shared by memory, so that a log beside it (WAL) is no way to write it. */
export const isOnNetworkFileSystem = (file: string): boolean => {
  try {
    return isOnNetwork(
      join(realpathSync(dirname(resolve(file))), basename(file)),
      readFileSync("/proc/self/mountinfo", "utf8"),
    );
  } catch {
    // Another system. Its network file systems are not told apart; SQLite finds out about missing locks itself.
    return false;
  }
};
