import { throwIfAborted } from "dray/errors";
import { type Clock, systemClock } from "dray/http";
import type { Cache } from "../cache-interface.ts";
import type { RoomTables, WatchFile } from "../file/index.ts";
import { keptUntil } from "./kept.ts";

/** The cache's table in the file of a watch. */
export const cacheTables: RoomTables = {
  room: "cache",
  steps: [
    `CREATE TABLE cache (key TEXT PRIMARY KEY, deadline INTEGER NOT NULL, until INTEGER NOT NULL, value BLOB NOT NULL);
     CREATE INDEX cache_until ON cache (until)`,
  ],
};

/** Rows that are too old go so many at a time, with each one that comes. */
const removedAtOnce = 4;

/**
 * The cache that needs no server: a table of the file of a watch, which was opened with `cacheTables`.
 * @example
 * const file = await openFile("/var/lib/dray/watch.db", { rooms: [cacheTables] });
 * const cache = sqliteCache(file);
 */
export const sqliteCache = (
  file: WatchFile,
  { clock = systemClock }: { readonly clock?: Pick<Clock, "now"> } = {},
): Cache => ({
  get: async (key, options) => {
    throwIfAborted(options?.signal);
    const row = file.statements.get("SELECT value, deadline FROM cache WHERE key = ? AND until > ?", key, clock.now());
    return row === undefined ? undefined : { value: row[0] as Uint8Array, deadline: Number(row[1]) };
  },
  set: async (key, value, deadline, options) => {
    const now = clock.now();
    await file.write((on) => {
      on.run(
        "DELETE FROM cache WHERE rowid IN (SELECT rowid FROM cache WHERE until <= ? ORDER BY until LIMIT ?)",
        now,
        removedAtOnce,
      );
      on.run(
        "INSERT OR REPLACE INTO cache (key, deadline, until, value) VALUES (?, ?, ?, ?)",
        key,
        Math.floor(deadline),
        Math.floor(keptUntil(deadline, now)),
        value,
      );
    }, options?.signal);
  },
  delete: async (key, options) => {
    await file.write((on) => on.run("DELETE FROM cache WHERE key = ?", key), options?.signal);
  },
});
