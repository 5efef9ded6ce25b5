import type { Row, Statements } from "@dray/service/sqlite";
import { defined } from "dray/internal/defined";

/** What went wrong, and since when. Milliseconds since 1970. */
export interface Problem {
  /** Of `DrayError`. */
  readonly code: string;
  readonly message: string;
  readonly since: number;
  /** When it was last met. */
  readonly seen: number;
}

/** What the last look did not find out, and why. */
export interface Missing {
  readonly what: "list" | "tags" | "details";
  /** How many. */
  readonly count?: number;
  readonly code: string;
  readonly message: string;
}

/** A repository as the file knows it. Milliseconds since 1970. */
export interface RepositoryState {
  readonly id: number;
  /** Canonical: `docker.io/library/alpine`. */
  readonly name: string;
  readonly added: number;
  /** What was selected of its tags at the last look, as text. */
  readonly selection: string;
  /** The end of the last look, whatever came of it. */
  readonly looked?: number;
  /** The last list that was whole. Until there is one, every look is the first. */
  readonly listed?: number;
  /** Tells two lists apart. */
  readonly listMark?: string;
  readonly listDue: number;
  /** Milliseconds between two lists. */
  readonly listInterval?: number;
  /** When something is to be looked at next. */
  readonly due: number;
  readonly missing: readonly Missing[];
  readonly problem?: Problem;
}

const columns =
  "id, name, added, selection, looked, listed, list_mark, list_due, list_interval, due, missing, code, message, problem_since, problem_seen";

const stateOf = (row: Row): RepositoryState => {
  const [
    id,
    name,
    added,
    selection,
    looked,
    listed,
    mark,
    listDue,
    interval,
    due,
    missing,
    code,
    message,
    since,
    seen,
  ] = row;
  return defined<RepositoryState>({
    id: Number(id),
    name: String(name),
    added: Number(added),
    selection: String(selection),
    looked: numberOr(looked),
    listed: numberOr(listed),
    listMark: typeof mark === "string" ? mark : undefined,
    listDue: Number(listDue),
    listInterval: numberOr(interval),
    due: Number(due),
    missing: typeof missing === "string" ? (JSON.parse(missing) as Missing[]) : [],
    problem:
      typeof code === "string"
        ? { code, message: String(message), since: Number(since), seen: Number(seen) }
        : undefined,
  });
};

/** A number, or nothing where the column has none. */
export const numberOr = (value: Row[number] | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);

/** A repository by its canonical name, if it is known. */
export const repositoryNamed = (on: Statements, name: string): RepositoryState | undefined => {
  const row = on.get(`SELECT ${columns} FROM repositories WHERE name = ?`, name);
  return row && stateOf(row);
};

/** Every repository, by name. */
export const allRepositories = (on: Statements): RepositoryState[] =>
  on.all(`SELECT ${columns} FROM repositories ORDER BY name`).map(stateOf);

/** Makes a repository known, within a transaction. It is due at once. */
export const addRepository = (on: Statements, name: string, now: number): RepositoryState => {
  on.run("INSERT INTO repositories (name, added) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, now);
  return repositoryNamed(on, name) as RepositoryState;
};

/** Forgets a repository and all that was known of its tags, within a transaction. What happened in it stays in the log. */
export const removeRepository = (on: Statements, name: string): boolean => {
  const known = repositoryNamed(on, name);
  if (known === undefined) return false;
  for (const table of ["tags", "tag_problems", "history"])
    on.run(`DELETE FROM ${table} WHERE repository = ?`, known.id);
  on.run("DELETE FROM repositories WHERE id = ?", known.id);
  return true;
};

/** What came of a look, but for its tags; within a transaction. The problem keeps the time when it began as long as its code is the same. */
export const recordOutcome = (
  on: Statements,
  id: number,
  {
    now,
    missing,
    problem,
    notBefore,
  }: {
    readonly now: number;
    readonly missing: readonly Missing[];
    readonly problem: { readonly code: string; readonly message: string } | undefined;
    /** Nothing is to be asked before, and what is left of the look then. */
    readonly notBefore?: number | undefined;
  },
): void => {
  const [code, since] = on.get("SELECT code, problem_since FROM repositories WHERE id = ?", id) ?? [];
  const began = code === problem?.code ? (since ?? now) : now;
  on.run(
    `UPDATE repositories SET looked = ?, missing = ?, code = ?, message = ?, problem_since = ?, problem_seen = ?,
       due = coalesce(?, min(list_due, coalesce((SELECT min(due) * 1000 FROM tags WHERE repository = ? AND gone IS NULL AND due IS NOT NULL), list_due)))
     WHERE id = ?`,
    now,
    missing.length === 0 ? null : JSON.stringify(missing),
    problem?.code ?? null,
    problem?.message ?? null,
    problem === undefined ? null : began,
    problem === undefined ? null : now,
    notBefore ?? null,
    id,
    id,
  );
};
