import type { DatabaseSync } from "node:sqlite";
import { DrayError } from "dray/errors";
import type { RoomTables } from "./room-tables.ts";

/** Of the table that tells which tables there are. Another number: nobody of today can read even that. */
const layout = 1;

/**
 * Inside a transaction: makes the tables that are lacking, room by room, and returns the file's id. A room that this program does not have is
 * left as it is.
 * @throws DrayError `UNSUPPORTED` where a newer program was here
 */
export const bringUp = (
  database: DatabaseSync,
  {
    application,
    rooms,
    path,
    newId,
  }: { application: number; rooms: readonly RoomTables[]; path: string; newId: () => string },
): string => {
  const isNew = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isNew) {
    database.exec(
      `CREATE TABLE file (id TEXT NOT NULL); CREATE TABLE rooms (room TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
       PRAGMA application_id=${application}; PRAGMA user_version=${layout}`,
    );
    database.prepare("INSERT INTO file VALUES (?)").run(newId());
  }
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found > layout) throw newer(path);
  const versionOf = database.prepare("SELECT version FROM rooms WHERE room = ?");
  const keep = database.prepare("INSERT OR REPLACE INTO rooms VALUES (?, ?)");
  for (const { room, steps } of rooms) {
    const version = Number(versionOf.get(room)?.["version"] ?? 0);
    if (version > steps.length) throw newer(path);
    if (version === steps.length) continue;
    for (const step of steps.slice(version)) database.exec(step);
    keep.run(room, steps.length);
  }
  return String(database.prepare("SELECT id FROM file").get()?.["id"]);
};

const newer = (path: string): DrayError =>
  new DrayError("UNSUPPORTED", `${path} was written by a newer Dray; use that one, or name another file`);
