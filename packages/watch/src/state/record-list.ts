import { createHash } from "node:crypto";
import type { Statements } from "@dray/service/sqlite";
import { EventLog, eventOf, type Happening, type WatchEvent } from "../events/index.ts";
import { digestIn } from "./digest-bytes.ts";
import type { RepositoryState } from "./repositories.ts";

/** Which tags of a repository are wanted, and what that is called: another text, and all are asked again. */
export interface Selection {
  readonly text: string;
  wants(tag: string): boolean;
}

/** A list of tags, as a registry gave it. */
export interface RecordedList {
  readonly tags: readonly string[];
  /** `false`: a tag that is missing may be there. */
  readonly complete: boolean;
  /** When it was asked for. */
  readonly at: number;
}

/** Tells two lists apart whatever their order, which is none to rely on. */
export const markOf = (tags: readonly string[]): string =>
  createHash("sha256").update(tags.toSorted().join("\n")).digest("base64");

/**
 * Puts a list into the file, within a transaction: new tags, those that are there again, and, of a list that is whole, those that are gone. The first
 * list that is whole is silent. A tag that is new is told when it is known what it names. Returns what happened, and whether anything changed.
 */
export const recordList = (
  on: Statements,
  { id, name, listed, listMark, selection: before }: RepositoryState,
  { tags, complete, at }: RecordedList,
  selection: Selection,
): { readonly events: readonly WatchEvent[]; readonly changed: boolean } => {
  const mark = markOf(tags);
  if (selection.text !== before) select(on, id, selection, at);
  const same = complete && mark === listMark;
  if (complete) on.run("UPDATE repositories SET listed = ?, list_mark = ? WHERE id = ?", at, mark, id);
  if (same) return { events: [], changed: false };

  const second = Math.floor(at / 1000);
  const fresh = new Set(tags);
  const gone: { readonly tag: string; readonly told: boolean; readonly digest: ReturnType<typeof digestIn> }[] = [];
  const back: string[] = [];
  for (const [tag, isGone, told, digest] of on.all(
    "SELECT tag, gone, told, digest FROM tags WHERE repository = ?",
    id,
  )) {
    const isThere = fresh.delete(String(tag));
    if (isThere && isGone !== null) back.push(String(tag));
    if (!isThere && isGone === null) gone.push({ tag: String(tag), told: told === 1, digest: digestIn(digest) });
  }
  const silent = listed === undefined ? 1 : 0;
  const due = (tag: string): readonly [wanted: number, due: number | null] =>
    selection.wants(tag) ? [1, second] : [0, null];
  for (const tag of fresh) {
    const [wanted, at0] = due(tag);
    on.run(
      "INSERT INTO tags (repository, tag, wanted, told, first_seen, due) VALUES (?, ?, ?, ?, ?, ?)",
      id,
      tag,
      wanted,
      silent,
      second,
      at0,
    );
  }
  for (const tag of back) {
    const [wanted, at0] = due(tag);
    on.run(
      "UPDATE tags SET gone = NULL, last_seen = NULL, wanted = ?, told = ?, digest = NULL, since = NULL, due = ?, interval = NULL WHERE repository = ? AND tag = ?",
      wanted,
      silent,
      at0,
      id,
      tag,
    );
  }
  const happened: Happening[] = [];
  if (complete)
    for (const { tag, told, digest } of gone) {
      remove(on, id, tag, second, listed);
      const time = new Date(at).toISOString();
      // Nobody was told that it came.
      if (told && selection.wants(tag))
        happened.push({
          type: "tag.removed",
          repository: name,
          tag,
          ...(digest === undefined ? {} : { previous: digest }),
          time,
        });
    }
  const events = happened.map(eventOf);
  new EventLog(on).append(events);
  return { events, changed: fresh.size > 0 || back.length > 0 || (complete && gone.length > 0) };
};

/** A tombstone: what it named stays in its history. */
const remove = (on: Statements, id: number, tag: string, second: number, listed: number | undefined): void => {
  on.run(
    "INSERT OR REPLACE INTO history SELECT repository, tag, since, digest, ? FROM tags WHERE repository = ? AND tag = ? AND digest IS NOT NULL",
    second,
    id,
    tag,
  );
  on.run(
    "UPDATE tags SET gone = ?, last_seen = ?, due = NULL, interval = NULL WHERE repository = ? AND tag = ?",
    second,
    Math.floor((listed ?? second * 1000) / 1000),
    id,
    tag,
  );
  on.run("DELETE FROM tag_problems WHERE repository = ? AND tag = ?", id, tag);
};

/** Another selection: what is wanted now and was not is looked at without a word, as at a first look. */
const select = (on: Statements, id: number, selection: Selection, at: number): void => {
  const change = { true: [] as string[], false: [] as string[] };
  for (const [tag, wanted] of on.all("SELECT tag, wanted FROM tags WHERE repository = ? AND gone IS NULL", id)) {
    const wants = selection.wants(String(tag));
    if (wants !== (wanted === 1)) change[`${wants}`].push(String(tag));
  }
  for (const tag of change.true)
    on.run(
      "UPDATE tags SET wanted = 1, told = 1, due = ? WHERE repository = ? AND tag = ?",
      Math.floor(at / 1000),
      id,
      tag,
    );
  for (const tag of change.false)
    on.run("UPDATE tags SET wanted = 0, due = NULL WHERE repository = ? AND tag = ?", id, tag);
  on.run("UPDATE repositories SET selection = ? WHERE id = ?", selection.text, id);
};
