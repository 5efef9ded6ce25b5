import type { RoomTables } from "../file/index.ts";

/**
 * Tables of the file. `events` grows at its end and is cut at its beginning; `deliveries` has a row for each event and each sink that is to hear of it;
 * `sinks` says how far each sink was given its rows. Only the first waiting delivery of a sink and a repository has a time at which it is due:
 * those behind it wait for it, so an image's events come in order.
 */
export const eventTables: RoomTables = {
  room: "events",
  steps: [
    `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT,
    previous TEXT,
    time TEXT NOT NULL
  );
  CREATE INDEX events_of_repository ON events (repository, seq);
  CREATE TABLE sinks (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE deliveries (
    sink TEXT NOT NULL,
    seq INTEGER NOT NULL,
    repository TEXT NOT NULL,
    state TEXT NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER,
    since INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (sink, seq)
  ) WITHOUT ROWID;
  CREATE INDEX deliveries_due ON deliveries (sink, due) WHERE due IS NOT NULL;
  CREATE INDEX deliveries_open ON deliveries (sink, repository, seq) WHERE state IN ('waiting', 'sending');
  CREATE INDEX deliveries_of_event ON deliveries (seq);
    `,
  ],
};
