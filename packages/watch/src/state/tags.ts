import type { Row, Statements } from "@dray/service/sqlite";
import { defined } from "dray/internal/defined";
import type { Digest } from "dray/oci";
import { digestIn } from "./digest-bytes.ts";
import { numberOr, type Problem } from "./repositories.ts";

/** A tag as the file knows it. Milliseconds since 1970, to the second. */
export interface TagState {
  readonly tag: string;
  /** Whether anything was selected that it belongs to: what is not wanted is listed and never looked into. */
  readonly wanted: boolean;
  readonly firstSeen: number;
  /** What it names. */
  readonly digest?: Digest;
  /** When it was first seen to name that. */
  readonly since?: number;
  /** When it is looked at next. */
  readonly due?: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
  /** When it was found to be gone, and when it was last there. */
  readonly gone?: number;
  readonly lastSeen?: number;
  readonly problem?: Problem;
}

const seconds = (value: Row[number] | undefined): number | undefined => {
  const found = numberOr(value);
  return found === undefined ? undefined : found * 1000;
};

/** Which tags are asked for. */
export interface TagsQuery {
  /** `true`: those that are gone as well. Default: those that are there. */
  readonly gone?: boolean;
  readonly wanted?: boolean;
  /** Those that come after this one. */
  readonly after?: string | undefined;
  /** So many at most. */
  readonly limit?: number | undefined;
}

const joined = `SELECT t.tag, t.wanted, t.first_seen, t.digest, t.since, t.due, t.interval, t.gone, t.last_seen, p.code, p.message, p.since, p.seen
  FROM tags t LEFT JOIN tag_problems p ON p.repository = t.repository AND p.tag = t.tag`;

const tagOf = (row: Row): TagState => {
  const [tag, wanted, firstSeen, digest, since, due, interval, gone, lastSeen, code, message, began, seen] = row;
  return defined<TagState>({
    tag: String(tag),
    wanted: wanted === 1,
    firstSeen: Number(firstSeen) * 1000,
    digest: digestIn(digest),
    since: seconds(since),
    due: seconds(due),
    interval: seconds(interval),
    gone: seconds(gone),
    lastSeen: seconds(lastSeen),
    problem:
      typeof code === "string"
        ? { code, message: String(message), since: Number(began) * 1000, seen: Number(seen) * 1000 }
        : undefined,
  });
};

/** The tags of a repository, in the order of their bytes. */
export const tagsOf = (
  on: Statements,
  repository: number,
  { gone = false, wanted, after = "", limit = -1 }: TagsQuery = {},
): TagState[] =>
  on
    .all(
      `${joined} WHERE t.repository = ? AND t.tag > ?${gone ? "" : " AND t.gone IS NULL"}${wanted === true ? " AND t.wanted = 1" : ""} ORDER BY t.tag LIMIT ?`,
      repository,
      after,
      limit,
    )
    .map(tagOf);

/** One of them. */
export const tagNamed = (on: Statements, repository: number, tag: string): TagState | undefined => {
  const row = on.get(`${joined} WHERE t.repository = ? AND t.tag = ?`, repository, tag);
  return row && tagOf(row);
};

/** Tags that are to be looked at by now, those that have waited longest first. */
export const dueTags = (on: Statements, repository: number, now: number, limit: number): string[] =>
  on
    .all(
      "SELECT tag FROM tags WHERE repository = ? AND gone IS NULL AND due <= ? ORDER BY due, tag LIMIT ?",
      repository,
      Math.floor(now / 1000),
      limit,
    )
    .map(([tag]) => String(tag));

/** What a tag named before, newest first. */
export const historyOf = (
  on: Statements,
  repository: number,
  tag: string,
): { readonly digest: Digest; readonly since: number; readonly until: number }[] =>
  on
    .all(
      "SELECT digest, since, until FROM history WHERE repository = ? AND tag = ? ORDER BY since DESC",
      repository,
      tag,
    )
    .map(([digest, since, until]) => ({
      digest: digestIn(digest) as Digest,
      since: Number(since) * 1000,
      until: Number(until) * 1000,
    }));

/** How many there are: all that are there, those that are wanted, those of which what they name is known, and those that are gone. */
export const countTags = (
  on: Statements,
  repository: number,
): { readonly tags: number; readonly wanted: number; readonly known: number; readonly gone: number } => {
  const [tags, wanted, known, gone] =
    on.get(
      `SELECT sum(gone IS NULL), sum(gone IS NULL AND wanted = 1), sum(gone IS NULL AND wanted = 1 AND digest IS NOT NULL), sum(gone IS NOT NULL)
         FROM tags WHERE repository = ?`,
      repository,
    ) ?? [];
  return { tags: Number(tags ?? 0), wanted: Number(wanted ?? 0), known: Number(known ?? 0), gone: Number(gone ?? 0) };
};
