import type { Statements } from "@dray/service/sqlite";
import type { Digest } from "dray/oci";
import { EventLog, eventOf, type Happening, type WatchEvent } from "../events/index.ts";
import { digestBytes, digestIn } from "./digest-bytes.ts";

/** How often things are looked at. Milliseconds. */
export interface Intervals {
  /** Default 1 hour. */
  readonly first: number;
  /** Default 5 minutes. */
  readonly least: number;
  /** Default 7 days. */
  readonly most: number;
}

/** Twice as long where nothing changed, half as long where something did. */
export const nextInterval = (before: number | undefined, changed: boolean, { first, least, most }: Intervals): number =>
  Math.min(most, Math.max(least, before === undefined ? first : changed ? before / 2 : before * 2));

/** What a look at one tag came to: what it names, or why that is not known. */
export type Looked =
  | { readonly tag: string; readonly digest: Digest }
  | { readonly tag: string; readonly code: string; readonly message: string };

/**
 * Puts what tags name into the file, within a transaction, and when each is looked at next. A tag that failed is asked again after a while that
 * grows with the age of its problem, and holds up no other. Returns what happened, and the digests that a tag was found to name for the first time, or anew.
 */
export const recordDigests = (
  on: Statements,
  { id, name }: { readonly id: number; readonly name: string },
  looked: readonly Looked[],
  { at, intervals, chance }: { readonly at: number; readonly intervals: Intervals; readonly chance: () => number },
): { readonly events: readonly WatchEvent[]; readonly named: ReadonlySet<Digest> } => {
  const named = new Set<Digest>();
  const second = Math.floor(at / 1000);
  const time = new Date(at).toISOString();
  const happened: Happening[] = [];
  for (const result of looked) {
    const { tag } = result;
    const row = on.get(
      "SELECT digest, since, interval, told, wanted FROM tags WHERE repository = ? AND tag = ? AND gone IS NULL",
      id,
      tag,
    );
    if (row === undefined) continue;
    const [stored, since, stale, told, wanted] = row;
    if (!("digest" in result)) {
      const wait = recordProblem(on, id, result, second, intervals);
      on.run("UPDATE tags SET due = ? WHERE repository = ? AND tag = ?", second + wait, id, tag);
      continue;
    }
    const { digest } = result;
    const previous = digestIn(stored);
    const moved = previous !== undefined && previous !== digest;
    const before = stale === null || stale === undefined ? undefined : Number(stale) * 1000;
    const interval = Math.round(nextInterval(before, moved, intervals) / 1000);
    // A tenth is left to chance, so that what was first seen together is not asked for together for ever.
    const due = wanted === 1 ? second + Math.round(interval * (1 - chance() / 10)) : null;
    on.run("DELETE FROM tag_problems WHERE repository = ? AND tag = ?", id, tag);
    if (previous === digest) {
      on.run("UPDATE tags SET interval = ?, due = ? WHERE repository = ? AND tag = ?", interval, due, id, tag);
      continue;
    }
    if (moved)
      on.run(
        "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?)",
        id,
        tag,
        since ?? second,
        digestBytes(previous),
        second,
      );
    on.run(
      "UPDATE tags SET digest = ?, since = ?, interval = ?, due = ?, told = 1 WHERE repository = ? AND tag = ?",
      digestBytes(digest),
      second,
      interval,
      due,
      id,
      tag,
    );
    named.add(digest);
    if (moved) happened.push({ type: "tag.moved", repository: name, tag, digest, previous, time });
    else if (told === 0) happened.push({ type: "tag.added", repository: name, tag, digest, time });
  }
  const events = happened.map(eventOf);
  new EventLog(on).append(events);
  return { events, named };
};

/** Seconds until it is tried again. */
const recordProblem = (
  on: Statements,
  id: number,
  { tag, code, message }: { readonly tag: string; readonly code: string; readonly message: string },
  second: number,
  { least, most }: Intervals,
): number => {
  const [known, began] = on.get("SELECT code, since FROM tag_problems WHERE repository = ? AND tag = ?", id, tag) ?? [];
  const since = known === code ? Number(began) : second;
  on.run("INSERT OR REPLACE INTO tag_problems VALUES (?, ?, ?, ?, ?, ?)", id, tag, code, message, since, second);
  return Math.round(Math.min(most, Math.max(least, (second - since) * 1000)) / 1000);
};
