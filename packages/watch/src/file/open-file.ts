import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import {
  corrupt,
  errcodeOf,
  foreignFile,
  isOnNetworkFileSystem,
  noDatabase,
  Statements,
  sqlite,
} from "@dray/service/sqlite";
import { DrayError, reasonOf, throwIfAborted } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import { isMarkedDamaged, markDamaged, moveAside } from "./damaged.ts";
import type { RoomTables } from "./room-tables.ts";
import { bringUp } from "./versions.ts";

/** The file, open. */
export interface WatchFile {
  /** Where it lies; `:memory:` lies nowhere. */
  readonly path: string;
  /** Drawn when the file was made: what has a number in it alone has a name in the world with this. */
  readonly id: string;
  /** For reading, and inside `write`. */
  readonly statements: Statements;
  /**
   * Does work in one transaction: all of it is in the file afterwards, or, where it throws, nothing. Waits while another process writes.
   * @throws DrayError `LOCKED`, `DISK`, `ABORTED`
   */
  write<T>(work: (statements: Statements) => T, signal?: AbortSignal): Promise<T>;
  close(): void;
}

/** How the file is opened. */
export interface OpenFileOptions {
  readonly rooms: readonly RoomTables[];
  /** Hears of what a person should know: the file was damaged, or another process keeps it busy. */
  readonly onNotice?: ((message: string) => void) | undefined;
  /** Milliseconds to wait for another process that writes. Default 30,000. */
  readonly wait?: number | undefined;
  readonly clock?: Pick<Clock, "now" | "sleep"> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** "dwat", in SQLite's place for whose file it is. */
const application = 0x64776174;
const busy = 5;
/** Milliseconds between two looks whether the other process is done, and before anybody is told that we wait. */
const [again, silent] = [25, 1_000];

/**
 * Opens the file, and makes it where there is none. A damaged one is moved aside and told of, since what it holds cannot be had again; what is no
 * file of ours is left alone.
 * @throws DrayError `CONFIG_INVALID` for a file of another program, `UNSUPPORTED` for one of a newer Dray, `LOCKED`, `DISK`
 * @example
 * const file = await openFile("/var/lib/dray/watch.db", { rooms: [stateTables, eventTables] });
 * await file.write((statements) => statements.run("DELETE FROM events WHERE time < ?", before));
 * file.close();
 */
export const openFile = async (path: string, options: OpenFileOptions): Promise<WatchFile> => {
  if (path !== ":memory:") {
    const foreign = foreignFile(path, { name: "the watch file", application, version: 1, tables: [], schema: "" });
    if (foreign !== undefined)
      throw new DrayError("CONFIG_INVALID", `${path} is not a file of dray watch: ${foreign}; name another one`);
    try {
      mkdirSync(dirname(resolve(path)), { recursive: true });
    } catch (cause) {
      throw new DrayError("DISK", `there can be no ${path}: ${reasonOf(cause)}`, { cause });
    }
    if (isMarkedDamaged(path)) moveAside(path, options.onNotice);
  }
  try {
    return await opened(path, options);
  } catch (error) {
    if (!isDamage(error) || path === ":memory:") throw asDrayError(error, path);
    moveAside(path, options.onNotice, reasonOf(error));
    return opened(path, options);
  }
};

const opened = async (path: string, options: OpenFileOptions): Promise<WatchFile> => {
  const database = new (sqlite().DatabaseSync)(path);
  try {
    database.exec(
      "PRAGMA busy_timeout=0; PRAGMA cache_size=-16000; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY",
    );
    const mode = path !== ":memory:" && isOnNetworkFileSystem(path) ? "TRUNCATE" : "WAL";
    const turns = waiting(path, options);
    await turns(() => database.exec(`PRAGMA journal_mode=${mode}; PRAGMA synchronous=NORMAL`), options.signal);
    const statements = new Statements(database);
    const id = await turns(
      () =>
        transacted(database, () => bringUp(database, { application, rooms: options.rooms, path, newId: randomUUID })),
      options.signal,
    );
    return {
      path,
      id,
      statements,
      write: async (work, signal) => {
        try {
          return await turns(() => transacted(database, () => work(statements)), signal);
        } catch (error) {
          if (isDamage(error)) markDamaged(path);
          throw asDrayError(error, path);
        }
      },
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
};

const transacted = <T>(database: DatabaseSync, work: () => T): T => {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // Some failures have rolled back already.
    }
    throw error;
  }
};

/** Does what needs the file for itself, when the other process is done. The thread is not held meanwhile. */
const waiting = (path: string, { wait = 30_000, clock = systemClock, onNotice }: OpenFileOptions) => {
  let told = false;
  return async <T>(work: () => T, signal: AbortSignal | undefined): Promise<T> => {
    const since = clock.now();
    for (;;) {
      throwIfAborted(signal);
      try {
        return work();
      } catch (error) {
        if (errcodeOf(error) !== busy) throw error;
        const waited = clock.now() - since;
        if (waited >= wait) {
          const message = `another process has been writing to ${path} for ${Math.round(waited / 1000)} s; try again when it is done`;
          throw new DrayError("LOCKED", message, { retryable: true, cause: error });
        }
        if (waited >= silent && !told) {
          told = true;
          onNotice?.(`waiting for another process that writes to ${path}`);
        }
        await clock.sleep(again, signal);
      }
    }
  };
};

const isDamage = (error: unknown): boolean => [corrupt, noDatabase].includes(errcodeOf(error) ?? 0);

const asDrayError = (error: unknown, path: string): unknown => {
  if (errcodeOf(error) === undefined) return error;
  const rest = isDamage(error) ? "is damaged, and will be moved aside at the next start" : "cannot be used";
  return new DrayError("DISK", `${path} ${rest}: ${reasonOf(error)}`, { cause: error });
};
