import type { Row } from "@dray/service/sqlite";
import type { Digest } from "dray/oci";
import { digestOfKey, unpacked } from "./digest-key.ts";
import type { ManifestRecord, Referrer, TagRecord } from "./records.ts";

/** Bytes come as text: an array for each would cost more than all the rest of a row. */
export const tagColumns = "name, lower(hex(digest)), at, mtime, ino";

type TagRow = [name: string, digest: string, at: number, mtime: number | null, ino: number];

export const tagOf = (row: Row): TagRecord => {
  const [name, digest, at, mtime, ino] = row as TagRow;
  const tag = { name, digest: digestOfKey(digest), at };
  return mtime === null ? tag : { ...tag, version: { mtime, ino } };
};

export const manifestColumns =
  "lower(hex(digest)), type, size, artifact, lower(hex(subject)), annotations, readable, pushed, lower(hex(children))";

type ManifestRow = [
  digest: string,
  type: string,
  size: number,
  artifact: string | null,
  /** Empty: none. */
  subject: string,
  annotations: string | null,
  readable: number,
  pushed: number,
  children: string,
];

export const manifestOf = (row: Row): ManifestRecord => {
  const [digest, mediaType, size, artifact, subject, annotations, readable, pushedAt, children] = row as ManifestRow;
  // Without the usual spreading: this runs a thousand times for a page.
  const manifest: ManifestRecord & { artifactType?: string; subject?: Digest; annotations?: string } = {
    digest: digestOfKey(digest),
    mediaType,
    size,
    references: unpacked(children),
    readable: readable === 1,
    pushedAt,
  };
  if (artifact !== null) manifest.artifactType = artifact;
  if (subject !== "") manifest.subject = digestOfKey(subject);
  if (annotations !== null) manifest.annotations = annotations;
  return manifest;
};

export const referrerColumns = "lower(hex(digest)), type, size, artifact, annotations";

type ReferrerRow = [digest: string, type: string, size: number, artifact: string | null, annotations: string | null];

export const referrerOf = (row: Row): Referrer => {
  const [digest, mediaType, size, artifact, annotations] = row as ReferrerRow;
  const referrer: Referrer & { artifactType?: string; annotations?: string } = {
    digest: digestOfKey(digest),
    mediaType,
    size,
  };
  if (artifact !== null) referrer.artifactType = artifact;
  if (annotations !== null) referrer.annotations = annotations;
  return referrer;
};

/** How many rows have no more than so many bytes together, and one more; but `least`. The first column is the bytes of each. */
export const countUpTo = (bytes: number, rows: readonly Row[], least: number): number => {
  let [count, sum] = [0, 0];
  for (const [size] of rows) {
    if (count >= least && sum > bytes) break;
    count++;
    sum += Number(size);
  }
  return count;
};
