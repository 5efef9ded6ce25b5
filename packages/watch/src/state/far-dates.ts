import type { Statements } from "@dray/service/sqlite";

/**
 * Makes due now, within a transaction, what was planned later than anything is planned: the clock was set back since, and it would wait for as long
 * as the clock was wrong.
 * @param farthest the latest moment at which anything of today can be due
 */
export const dropFarDates = (on: Statements, id: number, now: number, farthest: number): void => {
  on.run(
    "UPDATE repositories SET list_due = iif(list_due > ?, ?, list_due), due = iif(due > ?, ?, due) WHERE id = ? AND max(list_due, due) > ?",
    farthest,
    now,
    farthest,
    now,
    id,
    farthest,
  );
  const second = Math.ceil(farthest / 1000);
  on.run("UPDATE tags SET due = ? WHERE repository = ? AND due > ?", Math.floor(now / 1000), id, second);
};
