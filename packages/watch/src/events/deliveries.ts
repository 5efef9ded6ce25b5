import type { Row, Statements } from "@dray/service/sqlite";
import type { WatchFile } from "../file/index.ts";
import type { WatchEvent } from "./event.ts";
import { eventColumns, eventOfRow } from "./event-log.ts";
import { advance } from "./order.ts";

/** `waiting` for its turn or its next attempt, `sending` now, `delivered`, or `dead`: given up, until somebody replays it. */
export const deliveryStates = ["waiting", "sending", "delivered", "dead"] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** What becomes of an event at one sink. */
export interface Delivery {
  readonly sink: string;
  readonly event: WatchEvent;
  readonly state: DeliveryState;
  /** Attempts that failed. */
  readonly attempts: number;
  /** When it was queued: milliseconds since 1970. */
  readonly since: number;
  /** Kept back by quiet hours. */
  readonly held: boolean;
  /** When it is tried next: milliseconds since 1970. Absent where it waits for another of its repository, or is done with. */
  readonly due?: number;
  /** What went wrong the last time; without secrets. */
  readonly error?: string;
}

/** A sink as the queue knows it. */
export interface Subscriber {
  readonly name: string;
  /** Whether it is to hear of an event. Default: of every one. */
  readonly wants?: (event: WatchEvent) => boolean;
  /** Whether what is queued now is kept back. */
  readonly holds?: boolean;
}

/** Which deliveries are asked for. */
export interface DeliveryQuery {
  readonly sink?: string;
  readonly state?: DeliveryState;
  /** Id of an event. */
  readonly event?: string;
  /** Default 100. */
  readonly limit?: number;
}

const columns = `${eventColumns}, d.sink, d.state, d.attempts, d.since, d.held, d.due, d.error`;
const joined = `SELECT ${columns} FROM deliveries d JOIN events e ON e.seq = d.seq`;

const deliveryOf = (row: Row): Delivery => {
  const [sink, state, attempts, since, held, due, error] = row.slice(7);
  return {
    sink: String(sink),
    event: eventOfRow(row),
    state: state as DeliveryState,
    attempts: Number(attempts),
    since: Number(since),
    held: held === 1,
    ...(due == null ? {} : { due: Number(due) }),
    ...(error == null ? {} : { error: String(error) }),
  };
};

/** Events given to a sink in one go. */
export const mostQueued = 1000;

/** Nothing is planned further ahead, so what is due later than this was planned by a clock that has jumped back. */
export const horizon: number = 2 * 3_600_000;

/** What quiet hours have kept back, but for what has to wait for an earlier one of its repository that they have not. */
const held = `d.sink = ? AND d.held = 1 AND d.state IN ('waiting', 'sending') AND NOT EXISTS
  (SELECT 1 FROM deliveries b WHERE b.sink = d.sink AND b.repository = d.repository AND b.seq < d.seq AND b.held = 0 AND b.state IN ('waiting', 'sending'))`;

export interface Taking {
  readonly lease: number;
  readonly limit: number;
}

/**
 * The queue on the file: a row for each event and each sink. Whoever takes a delivery has it until its lease ends, so that a process that was killed
 * gives it back, and no two send it at the same time. Each call is one transaction.
 */
export class Deliveries {
  readonly #file: WatchFile;

  constructor(file: WatchFile) {
    this.#file = file;
  }

  /**
   * Gives a sink what has happened since it was last given something. One that is new begins with what happens from now on.
   * @returns how many events were looked at, `mostQueued` where there are more.
   */
  queue({ name, wants = () => true, holds = false }: Subscriber, now: number): Promise<number> {
    return this.#file.write((statements) => {
      const from = statements.get("SELECT seq FROM sinks WHERE name = ?", name)?.[0];
      if (from === undefined) {
        statements.run(
          "INSERT INTO sinks SELECT ?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
          name,
        );
        return 0;
      }
      const sql = `SELECT ${eventColumns}, e.seq FROM events e WHERE e.seq > ? ORDER BY e.seq LIMIT ${mostQueued}`;
      const rows = statements.all(sql, Number(from));
      const repositories = new Set<string>();
      for (const row of rows) {
        const event = eventOfRow(row);
        if (!wants(event)) continue;
        statements.run(
          "INSERT INTO deliveries (sink, seq, repository, state, held, since) VALUES (?, ?, ?, 'waiting', ?, ?)",
          name,
          Number(row.at(-1)),
          event.repository,
          holds ? 1 : 0,
          now,
        );
        repositories.add(event.repository);
      }
      for (const repository of repositories) advance(statements, name, repository, now);
      if (rows.length > 0) statements.run("UPDATE sinks SET seq = ? WHERE name = ?", Number(rows.at(-1)?.at(-1)), name);
      return rows.length;
    });
  }

  /** Takes what is due at a sink, at most `limit`, each of another repository, until `lease` milliseconds from now. */
  take(sink: string, now: number, { lease, limit }: Taking): Promise<Delivery[]> {
    return this.#file.write((statements) => {
      const sql = `${joined} WHERE d.sink = ? AND d.due IS NOT NULL AND (d.due <= ? OR d.due > ?) ORDER BY d.due, d.seq LIMIT ?`;
      const found = statements.all(sql, sink, now, now + horizon, limit).map(deliveryOf);
      claim(statements, found, now + lease);
      return found;
    });
  }

  /** Takes what quiet hours have kept back, at most `limit`, whatever repositories it is about. */
  takeHeld(sink: string, now: number, { lease, limit }: Taking): Promise<Delivery[]> {
    return this.#file.write((statements) => {
      const found = statements.all(`${joined} WHERE ${held} ORDER BY d.seq LIMIT ?`, sink, limit).map(deliveryOf);
      claim(statements, found, now + lease);
      return found;
    });
  }

  /** When what quiet hours have kept back may be taken; `undefined` where they have kept nothing back. */
  heldUntil(sink: string, now: number): number | undefined {
    const due = this.#file.statements.get(`SELECT max(coalesce(d.due, 0)) FROM deliveries d WHERE ${held}`, sink)?.[0];
    return due == null ? undefined : Number(due) > now + horizon ? now : Number(due);
  }

  /** They have arrived. */
  delivered(deliveries: readonly Delivery[], now: number): Promise<void> {
    return this.#settle(deliveries, now, "UPDATE deliveries SET state = 'delivered', due = NULL, error = NULL", []);
  }

  /** An attempt failed; the next one is at `due`. */
  failed(deliveries: readonly Delivery[], error: string, due: number): Promise<void> {
    const set = "UPDATE deliveries SET state = 'waiting', attempts = attempts + 1, due = ?, error = ?";
    return this.#settle(deliveries, due, set, [due, error]);
  }

  /** They are given up. What waits behind them goes on. */
  dead(deliveries: readonly Delivery[], error: string, now: number): Promise<void> {
    const set = "UPDATE deliveries SET state = 'dead', attempts = attempts + 1, due = NULL, error = ?";
    return this.#settle(deliveries, now, set, [error]);
  }

  /** Gives back what was taken and not tried. */
  release(deliveries: readonly Delivery[], now: number): Promise<void> {
    return this.#settle(deliveries, now, "UPDATE deliveries SET state = 'waiting', due = ?", [now]);
  }

  /**
   * Sends again what is dead, or one event whatever has become of it, under the id that it has always had.
   * @returns how many deliveries wait now.
   */
  replay(
    { sink, event, state = event === undefined ? "dead" : undefined }: DeliveryQuery,
    now: number,
  ): Promise<number> {
    return this.#file.write((statements) => {
      const rows = statements.all(
        `SELECT d.sink, d.seq, d.repository FROM deliveries d JOIN events e ON e.seq = d.seq
          WHERE d.state IN ('delivered', 'dead') AND (? IS NULL OR d.state = ?) AND (? IS NULL OR d.sink = ?) AND (? IS NULL OR e.id = ?)`,
        state ?? null,
        state ?? null,
        sink ?? null,
        sink ?? null,
        event ?? null,
        event ?? null,
      );
      const pairs = new Map<string, readonly [string, string]>();
      for (const [name, seq, repository] of rows as unknown as [string, number, string][]) {
        const set = "state = 'waiting', attempts = 0, held = 0, due = NULL, error = NULL, since = ?";
        statements.run(`UPDATE deliveries SET ${set} WHERE sink = ? AND seq = ?`, now, name, seq);
        pairs.set(`${name}\n${repository}`, [name, repository]);
      }
      for (const [name, repository] of pairs.values()) advance(statements, name, repository, now);
      return rows.length;
    });
  }

  /** Deliveries from the oldest on. */
  list({ sink, state, event, limit = 100 }: DeliveryQuery = {}): Delivery[] {
    const sql = `${joined} WHERE (? IS NULL OR d.sink = ?) AND (? IS NULL OR d.state = ?) AND (? IS NULL OR e.id = ?)
      ORDER BY d.seq, d.sink LIMIT ?`;
    const [a, b, c] = [sink ?? null, state ?? null, event ?? null];
    return this.#file.statements.all(sql, a, a, b, b, c, c, limit).map(deliveryOf);
  }

  /** How many there are in each state, by sink. */
  counts(): { readonly sink: string; readonly state: DeliveryState; readonly count: number }[] {
    const sql = "SELECT sink, state, count(*) FROM deliveries GROUP BY sink, state ORDER BY sink, state";
    return this.#file.statements
      .all(sql)
      .map(([sink, state, count]) => ({ sink: String(sink), state: state as DeliveryState, count: Number(count) }));
  }

  /** When something is due at a sink next: milliseconds since 1970. */
  nextDue(sink: string, now: number): number | undefined {
    const due = this.#file.statements.get(
      "SELECT min(due) FROM deliveries WHERE sink = ? AND due IS NOT NULL",
      sink,
    )?.[0];
    return due == null ? undefined : Math.min(Number(due), now + horizon);
  }

  #settle(
    deliveries: readonly Delivery[],
    now: number,
    set: string,
    values: readonly (string | number)[],
  ): Promise<void> {
    return this.#file.write((statements) => {
      const where = "WHERE sink = ? AND seq = (SELECT seq FROM events WHERE id = ?) AND state = 'sending'";
      for (const { sink, event } of deliveries) statements.run(`${set} ${where}`, ...values, sink, event.id);
      const pairs = new Map(deliveries.map(({ sink, event }) => [`${sink}\n${event.repository}`, { sink, event }]));
      for (const { sink, event } of pairs.values()) advance(statements, sink, event.repository, now);
    });
  }
}

const claim = (statements: Statements, deliveries: readonly Delivery[], until: number): void => {
  const sql =
    "UPDATE deliveries SET state = 'sending', due = ? WHERE sink = ? AND seq = (SELECT seq FROM events WHERE id = ?)";
  for (const { sink, event } of deliveries) statements.run(sql, until, sink, event.id);
};
