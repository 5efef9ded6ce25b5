import type { RoomTables } from "../file/index.ts";

/**
 * A row for each digest of a repository and each source of a time that lies in no image: what the registry said, and when it was first seen there. A tag
 * that moves brings a digest with rows of its own. Seconds since 1970.
 */
export const ledgerTables: RoomTables = {
  room: "ledger",
  steps: [
    `
  CREATE TABLE release_times (
    repository TEXT NOT NULL,
    digest BLOB NOT NULL,
    source TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (repository, digest, source)
  ) WITHOUT ROWID;
    `,
  ],
};
