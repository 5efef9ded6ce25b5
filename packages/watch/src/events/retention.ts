import type { Statements } from "@dray/service/sqlite";
import { advance } from "./order.ts";

/** How much is kept of what has happened. */
export interface Retention {
  /** Milliseconds for which an event is kept at least while nobody waits for it. Default 30 days. */
  readonly keep?: number;
  /** Events that are kept at most, waited for or not. Default 100,000. */
  readonly most?: number;
}

/** What went. `unsent` were waited for by a sink, which will not get them any more. */
export interface Pruned {
  readonly events: number;
  readonly unsent: number;
}

const day = 86_400_000;

/**
 * Lets go of old events with their deliveries: by age what no sink waits for any more, and by number whatever is oldest, so that the file has a bound
 * while a sink is down for ever. Within the caller's transaction.
 */
export const prune = (
  statements: Statements,
  now: number,
  { keep = 30 * day, most = 100_000 }: Retention = {},
): Pruned => {
  const before = new Date(now - keep).toISOString();
  const aged = statements.run(
    `DELETE FROM events WHERE time < ? AND NOT EXISTS
      (SELECT 1 FROM deliveries d WHERE d.seq = events.seq AND d.state IN ('waiting', 'sending'))`,
    before,
  ).changes;
  const bound = statements.get("SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?", most)?.[0];
  const beyond = bound === undefined ? 0 : statements.run("DELETE FROM events WHERE seq <= ?", bound).changes;
  if (aged + beyond === 0) return { events: 0, unsent: 0 };
  const orphan = "NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = deliveries.seq)";
  const lost = statements.get(`SELECT count(*) FROM deliveries WHERE state = 'waiting' AND ${orphan}`)?.[0];
  const pairs = statements.all(
    `SELECT DISTINCT sink, repository FROM deliveries WHERE state = 'waiting' AND ${orphan}`,
  );
  statements.run(`DELETE FROM deliveries WHERE ${orphan}`);
  for (const [sink, repository] of pairs) advance(statements, String(sink), String(repository), now);
  return { events: aged + beyond, unsent: Number(lost) };
};
