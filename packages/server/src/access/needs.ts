import type { Action, Need } from "./types.ts";

/** What of a route decides who may go there. */
export interface Destination {
  readonly kind: string;
  readonly repository?: string;
}

const known: Need = { known: true };
const catalog: Need = { catalog: true };
const nobody: Need = { nobody: true };

/** As distribution has it: who pushes must be able to pull as well, and deleting is a right of its own. */
const pull: readonly Action[] = ["pull"];
const push: readonly Action[] = ["pull", "push"];
const remove: readonly Action[] = ["delete"];
const all: readonly Action[] = ["pull", "push", "delete"];

type Row = Readonly<Record<string, Need | readonly Action[]>>;

/** Rows by kind of route, needs by method; actions are meant in the route's repository. */
const table: ReadonlyMap<string, Row> = new Map<string, Row>([
  ["ping", { GET: known, HEAD: known }],
  ["catalog", { GET: catalog, HEAD: catalog }],
  ["extensions", { GET: pull, HEAD: pull }],
  ["tags", { GET: pull, HEAD: pull }],
  ["referrers", { GET: pull, HEAD: pull }],
  ["manifest", { GET: pull, HEAD: pull, PUT: push, DELETE: remove }],
  ["blob", { GET: pull, HEAD: pull, DELETE: remove }],
  ["uploads", { POST: push }],
  // To look at a session and to give it up belongs to pushing.
  ["upload", { GET: push, HEAD: push, PATCH: push, PUT: push, DELETE: push }],
]);

/** Ends in an error whatever the method, and never comes to storage. */
const deadEnds: ReadonlySet<string> = new Set(["invalid", "unknown"]);

/**
 * What a request needs: the one table that decides it. A method that is not listed takes every right there is in the repository, so
 * that those who have them are told that there is no such method; anything else that is not listed is for nobody.
 */
export const needOf = (method: string, { kind, repository }: Destination): Need => {
  if (deadEnds.has(kind)) return known;
  const row = table.get(kind);
  if (row === undefined) return nobody;
  const need = Object.hasOwn(row, method) ? row[method] : undefined;
  if (need !== undefined && !isActions(need)) return need;
  if (repository !== undefined) return { repository, actions: need ?? all };
  // The extensions of the registry as a whole.
  return need === undefined ? nobody : known;
};

const isActions = (need: Need | readonly Action[]): need is readonly Action[] => Array.isArray(need);
