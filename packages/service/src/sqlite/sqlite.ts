/** SQLite as the runtime brings it. */
import type * as SQLite from "node:sqlite";
import { DrayError } from "dray/errors";

/**
 * The module, loaded when the first database is opened: a program that has none is not stopped by a Node that lacks it.
 * @throws DrayError `UNSUPPORTED`
 */
export const sqlite = (): typeof SQLite => {
  const found = process.getBuiltinModule("node:sqlite") as typeof SQLite | undefined;
  if (found === undefined)
    throw new DrayError("UNSUPPORTED", `Node ${process.versions.node} has no SQLite; Node 22.21 or newer has, and Bun`);
  return found;
};
