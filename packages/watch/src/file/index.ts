/**
 * The one file of a watch, in SQLite: opened with the tables of every room that has some, and written to by one process at a time while
 * any number read. Imports `@dray/service/sqlite` and the library; knows no table but its own.
 */
export { type OpenFileOptions, openFile, type WatchFile } from "./open-file.ts";
export type { RoomTables } from "./room-tables.ts";
