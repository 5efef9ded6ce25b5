import type { Statements } from "@dray/service/sqlite";

/**
 * Makes the first open delivery of a sink and a repository due, and lets those behind it wait; while one is on its way all others wait. What was
 * due already stays due when it was.
 */
export const advance = (statements: Statements, sink: string, repository: string, now: number): void => {
  const due = "FROM deliveries INDEXED BY deliveries_due WHERE sink = ? AND due IS NOT NULL AND repository = ?";
  const begun = statements.all(`SELECT seq, state ${due}`, sink, repository);
  const sending = begun.some(([, state]) => state === "sending");
  const sql =
    "SELECT seq FROM deliveries WHERE sink = ? AND repository = ? AND state IN ('waiting', 'sending') ORDER BY seq LIMIT 1";
  const head = sending ? undefined : statements.get(sql, sink, repository)?.[0];
  for (const [seq, state] of begun)
    if (state === "waiting" && seq !== head)
      statements.run("UPDATE deliveries SET due = NULL WHERE sink = ? AND seq = ?", sink, Number(seq));
  if (head !== undefined)
    statements.run("UPDATE deliveries SET due = coalesce(due, ?) WHERE sink = ? AND seq = ?", now, sink, Number(head));
};
