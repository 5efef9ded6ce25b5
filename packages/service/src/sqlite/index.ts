/**
 * A database of one process with tables of its own, begun anew where it cannot be used.
 * Imports `observe/` for notices and the library; knows no table.
 */
export { foreignFile } from "./foreign-file.ts";
export {
  corrupt,
  type DatabaseFormat,
  errcodeOf,
  isOnNetworkFileSystem,
  noDatabase,
  openDatabase,
  removeDatabase,
} from "./open-database.ts";
export { sqlite } from "./sqlite.ts";
export { type Row, Statements } from "./statements.ts";
