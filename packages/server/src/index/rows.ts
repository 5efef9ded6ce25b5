import type { Annotations } from "dray/oci";
import { digestOfKey, unpacked } from "./digest-key.ts";
import type { Row } from "./statements.ts";
import type { IndexedManifest, IndexedTag } from "./types.ts";

/** Bytes come as text: an array for each would cost more than all the rest of a row. */
export const tagColumns = "name, lower(hex(digest)) AS digest, at, mtime, ino";

export const tagOf = ({ name, digest, at, mtime, ino }: Row): IndexedTag => ({
  name: name as string,
  digest: digestOfKey(digest as string),
  at: at as number,
  ...(mtime === null ? {} : { stamp: { mtime: mtime as number, ino: ino as number } }),
});

export const manifestColumns =
  "lower(hex(digest)) AS digest, type, size, artifact, lower(hex(subject)) AS subject, annotations, readable, pushed, lower(hex(children)) AS children";

export const manifestOf = (row: Row): IndexedManifest => ({
  digest: digestOfKey(row["digest"] as string),
  mediaType: row["type"] as string,
  size: row["size"] as number,
  ...(row["artifact"] === null ? {} : { artifactType: row["artifact"] as string }),
  ...(row["subject"] === "" ? {} : { subject: digestOfKey(row["subject"] as string) }),
  ...(row["annotations"] === null ? {} : { annotations: JSON.parse(row["annotations"] as string) as Annotations }),
  // Unpacked when somebody asks: lists of referrers never do.
  get references() {
    return unpacked(row["children"] as string);
  },
  readable: row["readable"] === 1,
  pushedAt: row["pushed"] as number,
});
