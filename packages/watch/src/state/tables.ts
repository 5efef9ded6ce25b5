import type { RoomTables } from "../file/index.ts";

/**
 * What is known of repositories, tags and manifests. 2,000,000 tags have to fit into memory's neighbourhood: a tag is one row of one tree, its digest is
 * 33 bytes in it, its times are seconds, and what is rare (a problem, a digest that it named before) lies in tables of its own. When a tag was last seen
 * is when its repository's list was, until it is gone: no row is written for a tag of which there is no news.
 */
export const stateTables: RoomTables = {
  room: "state",
  steps: [
    `CREATE TABLE repositories (
       id INTEGER PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       added INTEGER NOT NULL,
       selection TEXT NOT NULL DEFAULT '',
       looked INTEGER,
       listed INTEGER,
       list_mark TEXT,
       list_due INTEGER NOT NULL DEFAULT 0,
       list_interval INTEGER,
       due INTEGER NOT NULL DEFAULT 0,
       missing TEXT,
       code TEXT,
       message TEXT,
       problem_since INTEGER,
       problem_seen INTEGER,
       held_by TEXT,
       held_until INTEGER
     );
     CREATE TABLE tags (
       repository INTEGER NOT NULL,
       tag TEXT NOT NULL,
       wanted INTEGER NOT NULL,
       told INTEGER NOT NULL,
       first_seen INTEGER NOT NULL,
       digest BLOB,
       since INTEGER,
       due INTEGER,
       interval INTEGER,
       gone INTEGER,
       last_seen INTEGER,
       PRIMARY KEY (repository, tag)
     ) WITHOUT ROWID;
     CREATE TABLE tag_problems (
       repository INTEGER NOT NULL,
       tag TEXT NOT NULL,
       code TEXT NOT NULL,
       message TEXT NOT NULL,
       since INTEGER NOT NULL,
       seen INTEGER NOT NULL,
       PRIMARY KEY (repository, tag)
     ) WITHOUT ROWID;
     CREATE TABLE history (
       repository INTEGER NOT NULL,
       tag TEXT NOT NULL,
       since INTEGER NOT NULL,
       digest BLOB NOT NULL,
       until INTEGER NOT NULL,
       PRIMARY KEY (repository, tag, since)
     ) WITHOUT ROWID;
     CREATE TABLE manifests (
       digest BLOB PRIMARY KEY,
       entry BLOB NOT NULL
     ) WITHOUT ROWID;
     CREATE TABLE configurations (
       digest BLOB PRIMARY KEY,
       facts TEXT NOT NULL
     ) WITHOUT ROWID;`,
  ],
};
