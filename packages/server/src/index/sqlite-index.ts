import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { DrayError } from "dray/errors";
import type { Digest } from "dray/oci";
import type { Notice } from "../options.ts";
import { digestOfKey, keyBefore, keyOf, packed, shortKey, unpacked } from "./digest-key.ts";
import { corrupt, errcodeOf, noDatabase, openDatabase, removeDatabase } from "./open-database.ts";
import { manifestColumns, manifestOf, type Row, tagColumns, tagOf } from "./rows.ts";
import type { Index, IndexedManifest, IndexedTag, Page } from "./types.ts";

export interface IndexOptions {
  readonly onNotice?: (notice: Notice) => void;
  /** Whether the file lies on a network file system, where WAL is never used. Default: as the table of mounts says. */
  readonly network?: boolean;
}

/**
 * The index in a file, or in memory as `:memory:`. A file that cannot be used is begun anew, and where there can be none it goes on
 * in memory; both are told as a notice. A write that fails throws `DISK` and has changed nothing.
 */
export const openIndex = (file: string, options: IndexOptions = {}): Index => new SqliteIndex(file, options);

/** How many repositories `holders` tells. */
const enough = 16;

class SqliteIndex implements Index {
  readonly #file: string;
  readonly #options: IndexOptions & { readonly onNotice: (notice: Notice) => void };
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync;
  #generation = 0;
  #together = false;

  constructor(file: string, options: IndexOptions) {
    this.#file = file;
    this.#options = { onNotice: () => {}, ...options };
    this.#database = openDatabase(file, this.#options);
  }

  get generation(): number {
    return this.#generation;
  }

  tags(repository: string, { after = "", limit }: Page): IndexedTag[] {
    const sql = `SELECT ${tagColumns} FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?`;
    return this.#inside(repository, (id) => this.#all(sql, id, after, limit).map(tagOf), []);
  }

  tag(repository: string, tag: string): IndexedTag | undefined {
    const sql = `SELECT ${tagColumns} FROM tags WHERE repository = ? AND name = ?`;
    const row = this.#inside(repository, (id) => this.#get(sql, id, tag), undefined);
    return row === undefined ? undefined : tagOf(row);
  }

  tagsOf(repository: string, digest: Digest): string[] {
    const sql = "SELECT name FROM tags WHERE repository = ? AND digest = ? ORDER BY name";
    return this.#inside(repository, (id) => this.#all(sql, id, keyOf(digest)).map(({ name }) => name as string), []);
  }

  manifest(repository: string, digest: Digest): IndexedManifest | undefined {
    const sql = `SELECT ${manifestColumns} FROM manifests WHERE repository = ? AND digest = ?`;
    const row = this.#inside(repository, (id) => this.#get(sql, id, keyOf(digest)), undefined);
    return row === undefined ? undefined : manifestOf(row);
  }

  manifests(repository: string, { after = "", limit }: Page): IndexedManifest[] {
    const sql = `SELECT ${manifestColumns} FROM manifests WHERE repository = ? AND digest > ? ORDER BY digest LIMIT ?`;
    return this.#inside(repository, (id) => this.#all(sql, id, keyBefore(after), limit).map(manifestOf), []);
  }

  referrers(
    repository: string,
    subject: Digest,
    { after = "", limit, artifactType }: Page & { readonly artifactType?: string },
  ): IndexedManifest[] {
    const typed = artifactType === undefined ? [] : [artifactType];
    const sql = `SELECT ${manifestColumns} FROM manifests WHERE repository = ? AND subject = ?${
      typed.length === 0 ? "" : " AND artifact = ?"
    } AND digest > ? ORDER BY digest LIMIT ?`;
    return this.#inside(
      repository,
      (id) => this.#all(sql, id, keyOf(subject), ...typed, keyBefore(after), limit).map(manifestOf),
      [],
    );
  }

  refersTo(repository: string, digest: Digest): boolean {
    const sql = `SELECT 1 FROM uses CROSS JOIN manifests ON id = manifest
      WHERE short = ? AND uses.repository = ? AND instr(children, ?) LIMIT 1`;
    return this.#inside(repository, (id) => this.#get(sql, shortKey(digest), id, keyOf(digest)) !== undefined, false);
  }

  isUsed(digest: Digest): boolean {
    const sql = `SELECT 1 FROM uses CROSS JOIN manifests ON id = manifest
      WHERE short = ? AND (digest = ? OR instr(children, ?)) LIMIT 1`;
    const key = keyOf(digest);
    return this.#guarded(() => this.#get(sql, shortKey(digest), key, key) !== undefined);
  }

  holders(digest: Digest): string[] {
    // From one repository to the next, however many manifests of one there are.
    const sql = `SELECT uses.repository, name FROM uses CROSS JOIN manifests ON manifests.id = manifest
      CROSS JOIN repositories ON repositories.id = uses.repository
      WHERE short = ? AND uses.repository > ? AND instr(children, ?) ORDER BY uses.repository LIMIT 1`;
    const key = keyOf(digest);
    return this.#guarded(() => {
      const names: string[] = [];
      for (let last: SQLInputValue = 0; names.length < enough; ) {
        const row = this.#get(sql, shortKey(digest), last, key);
        if (row === undefined) break;
        names.push(row["name"] as string);
        last = row["repository"] as number;
      }
      return names;
    });
  }

  unreadable(repository: string): Digest[] {
    const sql = "SELECT digest FROM manifests WHERE repository = ? AND readable = 0 ORDER BY digest";
    const digests = (id: number): Digest[] => this.#all(sql, id).map(({ digest }) => digestOfKey(digest as Uint8Array));
    return this.#inside(repository, digests, []);
  }

  repositories({ after = "", limit }: Page): string[] {
    const sql = "SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?";
    return this.#guarded(() => this.#all(sql, after, limit).map(({ name }) => name as string));
  }

  counts(): { readonly repositories: number; readonly tags: number; readonly manifests: number } {
    const count = (table: string): number => Number(this.#get(`SELECT count(*) AS n FROM ${table}`)?.["n"]);
    return this.#guarded(() => ({
      repositories: count("repositories"),
      tags: count("tags"),
      manifests: count("manifests"),
    }));
  }

  putManifest(repository: string, manifest: IndexedManifest): void {
    const key = keyOf(manifest.digest);
    this.together(() => {
      const id = this.#made(repository);
      this.#dropManifest(id, key);
      const { mediaType, size, artifactType, subject, annotations, references, readable, pushedAt } = manifest;
      const { lastInsertRowid } = this.#run(
        `INSERT INTO manifests (repository, ${manifestColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        key,
        mediaType,
        size,
        artifactType ?? null,
        subject === undefined ? null : keyOf(subject),
        annotations === undefined ? null : JSON.stringify(annotations),
        readable ? 1 : 0,
        pushedAt,
        packed(references),
      );
      const shorts = new Set([manifest.digest, ...references].map(shortKey));
      for (const short of shorts) this.#run("INSERT INTO uses VALUES (?, ?, ?)", short, id, Number(lastInsertRowid));
    });
  }

  removeManifest(repository: string, digest: Digest): void {
    this.together(() => this.#inside(repository, (id) => this.#dropManifest(id, keyOf(digest)), undefined));
  }

  putTag(repository: string, { name, digest, at, stamp }: IndexedTag): void {
    const sql = `INSERT OR REPLACE INTO tags (repository, ${tagColumns}) VALUES (?, ?, ?, ?, ?, ?)`;
    this.together(() => {
      const id = this.#made(repository);
      this.#run(sql, id, name, keyOf(digest), at, stamp?.mtime ?? null, stamp?.ino ?? null);
    });
  }

  removeTag(repository: string, tag: string): void {
    const sql = "DELETE FROM tags WHERE repository = ? AND name = ?";
    this.together(() => this.#inside(repository, (id) => void this.#run(sql, id, tag), undefined));
  }

  hasRepository(repository: string): boolean {
    return this.#inside(repository, () => true, false);
  }

  putRepository(repository: string): void {
    this.together(() => void this.#made(repository));
  }

  removeRepository(repository: string): void {
    const remove = (id: number): void => {
      for (const { digest } of this.#all("SELECT digest FROM manifests WHERE repository = ?", id))
        this.#dropManifest(id, digest as Uint8Array);
      this.#run("DELETE FROM tags WHERE repository = ?", id);
      this.#run("DELETE FROM repositories WHERE id = ?", id);
    };
    this.together(() => this.#inside(repository, remove, undefined));
  }

  together<T>(work: () => T): T {
    if (this.#together) return work();
    return this.#guarded(() => {
      this.#run("BEGIN IMMEDIATE");
      this.#together = true;
      try {
        const result = work();
        this.#run("COMMIT");
        return result;
      } catch (error) {
        try {
          this.#run("ROLLBACK");
        } catch {
          // SQLite has done it already.
        }
        throw error;
      } finally {
        this.#together = false;
      }
    });
  }

  reset(where?: "memory"): void {
    this.#statements.clear();
    this.#generation++;
    try {
      this.#database.close();
      if (this.#file !== ":memory:") removeDatabase(this.#file);
    } catch {
      // What is left of it is found when it is opened.
    }
    this.#database = openDatabase(where === "memory" ? ":memory:" : this.#file, this.#options);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #dropManifest(repository: number, key: Uint8Array): void {
    const find = "SELECT id, children FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.#get(find, repository, key);
    if (row === undefined) return;
    const id = row["id"] as number;
    for (const digest of [digestOfKey(key), ...unpacked(row["children"] as Uint8Array)])
      this.#run(
        "DELETE FROM uses WHERE short = ? AND repository = ? AND manifest = ?",
        shortKey(digest),
        repository,
        id,
      );
    this.#run("DELETE FROM manifests WHERE id = ?", id);
  }

  #id(repository: string): number | undefined {
    return this.#get("SELECT id FROM repositories WHERE name = ?", repository)?.["id"] as number | undefined;
  }

  #made(repository: string): number {
    const id = this.#id(repository);
    return id ?? Number(this.#run("INSERT INTO repositories (name) VALUES (?)", repository).lastInsertRowid);
  }

  /** Asks about a repository by its number; `none` where it is not known. */
  #inside<T>(repository: string, ask: (id: number) => T, none: T): T {
    return this.#guarded(() => {
      const id = this.#id(repository);
      return id === undefined ? none : ask(id);
    });
  }

  /** A file that turns out to be damaged is begun anew, and whoever asked hears that it failed. */
  #guarded<T>(work: () => T): T {
    if (this.#together) return work();
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

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): { lastInsertRowid: number | bigint } {
    return this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
