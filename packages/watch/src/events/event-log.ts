import type { Row, Statements } from "@dray/service/sqlite";
import { defined } from "dray/internal/defined";
import type { Digest } from "dray/oci";
import type { EventType, WatchEvent } from "./event.ts";

/** Which events are asked for. */
export interface EventQuery {
  /** Id of the last one that is known already. One that is no longer kept stands for none: all that is kept follows. */
  readonly after?: string;
  readonly repository?: string;
  readonly type?: EventType;
  /** At most so many. Default 100. */
  readonly limit?: number;
}

/** The columns of an event, in the order in which `eventOfRow` reads them. */
export const eventColumns = "e.id, e.type, e.repository, e.tag, e.digest, e.previous, e.time";

/** An event from the columns that `eventColumns` names. */
export const eventOfRow = (row: Row): WatchEvent => {
  const [id, type, repository, tag, digest, previous, time] = row as (string | null)[];
  return {
    id: id as string,
    type: type as EventType,
    repository: repository as string,
    tag: tag as string,
    ...(digest == null ? {} : { digest: digest as Digest }),
    ...(previous == null ? {} : { previous: previous as Digest }),
    time: time as string,
  };
};

/** What has happened, in order, on the file. */
export class EventLog {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /**
   * Appends within the caller's transaction, so that what happened and what is known change together or not at all. What is there already
   * is not appended again.
   */
  append(events: readonly WatchEvent[]): void {
    const sql =
      "INSERT INTO events (id, type, repository, tag, digest, previous, time) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    for (const { id, type, repository, tag, digest = null, previous = null, time } of events)
      this.#statements.run(sql, id, type, repository, tag, digest, previous, time);
  }

  /** Events from the oldest on. */
  list({ after, repository, type, limit = 100 }: EventQuery = {}): WatchEvent[] {
    const from = after === undefined ? 0 : (this.cursorOf(after) ?? 0);
    return this.follow(from, defined<EventQuery>({ repository, type, limit })).events;
  }

  /** Where an event stands in the log: `follow` goes on after it. `undefined` for one that is not kept. */
  cursorOf(id: string): number | undefined {
    const seq = this.#statements.get("SELECT seq FROM events WHERE id = ?", id)?.[0];
    return seq === undefined ? undefined : Number(seq);
  }

  /** Where the log ends now. */
  get end(): number {
    return Number(this.#statements.get("SELECT max(seq) FROM events")?.[0] ?? 0);
  }

  /** What came after a cursor, and the next cursor. Events that are let go of meanwhile are passed over, and none comes twice. */
  follow(
    cursor: number,
    { repository, type, limit = 100 }: Omit<EventQuery, "after"> = {},
  ): { readonly events: WatchEvent[]; readonly cursor: number } {
    const sql = `SELECT ${eventColumns}, e.seq FROM events e WHERE e.seq > ?
      AND (? IS NULL OR e.repository = ?) AND (? IS NULL OR e.type = ?) ORDER BY e.seq LIMIT ?`;
    const [about, of] = [repository ?? null, type ?? null];
    const rows = this.#statements.all(sql, cursor, about, about, of, of, limit);
    return { events: rows.map(eventOfRow), cursor: rows.length === 0 ? cursor : Number(rows.at(-1)?.at(-1)) };
  }

  /** The newest event, from which whoever only wants what is to come begins. */
  get last(): WatchEvent | undefined {
    const row = this.#statements.get(`SELECT ${eventColumns} FROM events e ORDER BY e.seq DESC LIMIT 1`);
    return row && eventOfRow(row);
  }

  get count(): number {
    return Number(this.#statements.get("SELECT count(*) FROM events")?.[0] ?? 0);
  }
}
