import type { DatabaseSync } from "node:sqlite";
import { corrupt, errcodeOf, noDatabase, openDatabase, removeDatabase, Statements } from "@dray/service/sqlite";
import { DrayError } from "dray/errors";
import type { Notice } from "../notice.ts";
import { indexFormat } from "./schema.ts";
import { Uses } from "./uses.ts";

export interface MetadataOptions {
  readonly onNotice?: (notice: Notice) => void;
  /** Whether the file lies on a network file system, where WAL is never used. Default: as the table of mounts says. */
  readonly network?: boolean;
}

/**
 * The database that the index lies in, which can be lost at any time: a file that is damaged is begun anew, a transaction is made whole or
 * not at all, and what fails throws `DISK` and has changed nothing.
 */
export class IndexDatabase {
  readonly #file: string;
  readonly #options: MetadataOptions & { readonly onNotice: (notice: Notice) => void };
  #database: DatabaseSync;
  protected statements: Statements;
  protected uses: Uses;
  #generation = 0;
  #inTransaction = false;
  protected isClosed = false;

  /**
   * In a file, or in memory as `:memory:`. A file that cannot be used is begun anew, and where there can be none it goes on in memory;
   * both are told as a notice.
   */
  constructor(file: string, options: MetadataOptions = {}) {
    this.#file = file;
    this.#options = { onNotice: () => {}, ...options };
    this.#database = openDatabase(file, indexFormat, this.#options);
    this.statements = new Statements(this.#database);
    this.uses = new Uses(this.statements);
  }

  /** Becomes another number when everything was lost: by `reset`, or because the file was damaged. Then it fills anew. */
  get generation(): number {
    return this.#generation;
  }

  /** Makes all changes inside one transaction: all of them or none. */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    return this.guarded(() => {
      this.statements.run("BEGIN IMMEDIATE");
      this.#inTransaction = true;
      try {
        const result = work();
        this.statements.run("COMMIT");
        return result;
      } catch (error) {
        this.uses.recount();
        try {
          this.statements.run("ROLLBACK");
        } catch {
          // SQLite has done it already.
        }
        throw error;
      } finally {
        this.#inTransaction = false;
      }
    });
  }

  /** Forgets everything. `memory`: and leaves its file, which cannot be written, for the rest of its life. */
  reset(where?: "memory"): void {
    this.#generation++;
    try {
      this.#database.close();
      if (this.#file !== ":memory:") removeDatabase(this.#file);
    } catch {
      // What is left of it is found when it is opened.
    }
    this.#database = openDatabase(where === "memory" ? ":memory:" : this.#file, indexFormat, this.#options);
    this.statements = new Statements(this.#database);
    this.uses = new Uses(this.statements);
  }

  close(): void {
    this.isClosed = true;
    this.#database.close();
  }

  #id(repository: string): number | undefined {
    return this.statements.get("SELECT id FROM repositories WHERE name = ?", repository)?.[0] as number | undefined;
  }

  /** The number of a repository, which is made known where it is not. */
  protected made(repository: string): number {
    const id = this.#id(repository);
    return id ?? this.statements.run("INSERT INTO repositories (name) VALUES (?)", repository).lastInsertRowid;
  }

  /** Asks about a repository by its number; `none` where it is not known. */
  protected inside<T>(repository: string, ask: (id: number) => T, none: T): T {
    return this.guarded(() => {
      const id = this.#id(repository);
      return id === undefined ? none : ask(id);
    });
  }

  /** A file that turns out to be damaged is begun anew, and whoever asked hears that it failed. */
  protected guarded<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    try {
      return work();
    } catch (error) {
      const code = errcodeOf(error);
      if (code === undefined) throw error;
      const message = `the index failed: ${(error as Error).message}`;
      if (code === corrupt || code === noDatabase) {
        this.#options.onNotice({ level: "error", message: `${message}; it is made again from the tree` });
        this.reset();
      }
      throw new DrayError("DISK", message, { cause: error });
    }
  }
}
