import { type Digest, parseDigest } from "dray/oci";
import { EventLog, type EventType, eventOf, eventTables, type WatchEvent } from "../src/events/index.ts";
import { openFile, type WatchFile } from "../src/file/index.ts";

/** A digest of one digit, for tests that only tell them apart. */
export const digestOf = (digit: string): Digest => parseDigest(`sha256:${digit.repeat(64)}`);

/** An event at a second of the first of March. */
export const happened = (image: string, second = 0, type: EventType = "tag.added"): WatchEvent => {
  const [repository = "", tag = ""] = image.split(":");
  const digest = type === "tag.removed" ? {} : { digest: digestOf("a") };
  const previous = type === "tag.added" ? {} : { previous: digestOf("b") };
  const time = new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();
  return eventOf({ type, repository: `registry.example/${repository}`, tag, ...digest, ...previous, time });
};

/** A file with the tables of events alone. */
export const eventFile = (path = ":memory:"): Promise<WatchFile> => openFile(path, { rooms: [eventTables] });

export const append = (file: WatchFile, ...events: WatchEvent[]): Promise<void> =>
  file.write((statements) => new EventLog(statements).append(events));
