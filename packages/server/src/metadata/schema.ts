import type { DatabaseFormat } from "@dray/service/sqlite";

/** Goes up when the tables change: a file of another version is begun anew, since all of it can be read from the tree. */
const version = 2;
/** Tells our file from other databases: `dray` in ASCII. */
const application = 0x64726179;

const tables = ["repositories", "tags", "manifests", "uses", "recent_uses"];

/**
 * Text is compared by bytes (SQLite's own default). Inodes are REAL: they may be larger than a JavaScript integer, and are only
 * compared for being equal. The primary keys without row numbers are what pages go along.
 */
const schema = `
CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE tags (
  repository INTEGER NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL, at REAL NOT NULL, mtime REAL, ino REAL,
  PRIMARY KEY (repository, name)
) WITHOUT ROWID;
CREATE INDEX tags_of ON tags (repository, digest);
CREATE TABLE manifests (
  id INTEGER PRIMARY KEY, repository INTEGER NOT NULL, digest BLOB NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL,
  artifact TEXT, subject BLOB, annotations TEXT, readable INTEGER NOT NULL, pushed REAL NOT NULL, children BLOB NOT NULL
);
CREATE UNIQUE INDEX manifests_by_digest ON manifests (repository, digest);
CREATE INDEX referrers ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;
CREATE INDEX referrers_by_type ON manifests (repository, subject, artifact, digest) WHERE subject IS NOT NULL;
CREATE INDEX unreadable ON manifests (repository, digest) WHERE readable = 0;
-- Which manifests have a child, by the beginning of its digest, and how large they say it is; each stands for itself, too.
CREATE TABLE uses (
  short INTEGER NOT NULL, repository INTEGER NOT NULL, manifest INTEGER NOT NULL, size INTEGER,
  PRIMARY KEY (short, repository, manifest)
) WITHOUT ROWID;
CREATE TABLE recent_uses (
  short INTEGER NOT NULL, repository INTEGER NOT NULL, manifest INTEGER NOT NULL, size INTEGER,
  PRIMARY KEY (short, repository, manifest)
) WITHOUT ROWID;
`;

export const indexFormat: DatabaseFormat = { name: "the index", application, version, tables, schema };
