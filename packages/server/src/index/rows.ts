import type { SQLOutputValue } from "node:sqlite";
import type { Annotations } from "dray/oci";
import { digestOfKey, unpacked } from "./digest-key.ts";
import type { IndexedManifest, IndexedTag } from "./types.ts";

/** What SQLite answers, as what the index says. */
export type Row = Record<string, SQLOutputValue>;

export const tagColumns = "name, digest, at, mtime, ino";

export const tagOf = ({ name, digest, at, mtime, ino }: Row): IndexedTag => ({
  name: name as string,
  digest: digestOfKey(digest as Uint8Array),
  at: at as number,
  ...(mtime === null ? {} : { stamp: { mtime: mtime as number, ino: ino as number } }),
});

export const manifestColumns = "digest, type, size, artifact, subject, annotations, readable, pushed, children";

export const manifestOf = (row: Row): IndexedManifest => ({
  digest: digestOfKey(row["digest"] as Uint8Array),
  mediaType: row["type"] as string,
  size: row["size"] as number,
  ...(row["artifact"] === null ? {} : { artifactType: row["artifact"] as string }),
  ...(row["subject"] === null ? {} : { subject: digestOfKey(row["subject"] as Uint8Array) }),
  ...(row["annotations"] === null ? {} : { annotations: JSON.parse(row["annotations"] as string) as Annotations }),
  references: unpacked(row["children"] as Uint8Array),
  readable: row["readable"] === 1,
  pushedAt: row["pushed"] as number,
});
