import type { RoomTables } from "../file/index.ts";

/** A row for each registry and identity, with what is known of its budget as JSON: it is read whole, and nobody looks for one by its parts. */
export const budgetTables: RoomTables = {
  room: "budgets",
  steps: [
    `
  CREATE TABLE budgets (
    registry TEXT NOT NULL,
    identity TEXT NOT NULL,
    known TEXT NOT NULL,
    PRIMARY KEY (registry, identity)
  ) WITHOUT ROWID;
    `,
  ],
};
