import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { corrupt, errcodeOf, noDatabase, openDatabase, removeDatabase, Statements } from "@dray/service/sqlite";
import { DrayError, isDrayError } from "dray/errors";
import type { Digest } from "dray/oci";
import type { Notice } from "../notice.ts";
import { digestOfKey, keyBefore, keyLength, keyOf, packed, unpacked } from "./digest-key.ts";
import type { ManifestRecord, Page, Referrer, TagRecord } from "./records.ts";
import { manifestColumns, manifestOf, referrerColumns, referrerOf, tagColumns, tagOf } from "./rows.ts";
import { indexFormat } from "./schema.ts";
import { Uses } from "./uses.ts";

export interface MetadataOptions {
  readonly onNotice?: (notice: Notice) => void;
  /** Whether the file lies on a network file system, where WAL is never used. Default: as the table of mounts says. */
  readonly network?: boolean;
}

/** Children whose uses are written at once: more would keep everybody waiting. */
const mostAtOnce = 500;

/** What was written of a manifest before its row. */
interface Prepared {
  readonly generation: number;
  readonly id: number;
  readonly children: Uint8Array;
}

/**
 * What the registry knows of its tree, in tables. Derived: it can be deleted at any time and is rebuilt. All calls are synchronous and
 * short; a page never costs more for what lies before it. A write that fails throws `DISK` and has changed nothing.
 */
export class Metadata {
  readonly #file: string;
  readonly #options: MetadataOptions & { readonly onNotice: (notice: Notice) => void };
  #database: DatabaseSync;
  #statements: Statements;
  #uses: Uses;
  #generation = 0;
  #inTransaction = false;
  #lastManifest: number | undefined;
  /** Uses of manifests that are gone. */
  readonly #left: { repository: number; manifest: number; used: readonly Digest[]; at: number }[] = [];
  #isClosed = false;
  readonly #prepared = new WeakMap<ManifestRecord, Prepared>();

  /**
   * In a file, or in memory as `:memory:`. A file that cannot be used is begun anew, and where there can be none it goes on in memory;
   * both are told as a notice.
   */
  constructor(file: string, options: MetadataOptions = {}) {
    this.#file = file;
    this.#options = { onNotice: () => {}, ...options };
    this.#database = openDatabase(file, indexFormat, this.#options);
    this.#statements = new Statements(this.#database);
    this.#uses = new Uses(this.#statements);
  }

  /** Becomes another number when everything was lost: by `reset`, or because the file was damaged. Then it fills anew. */
  get generation(): number {
    return this.#generation;
  }

  /** In byte order. */
  tags(repository: string, { after = "", limit }: Page): TagRecord[] {
    const sql = `SELECT ${tagColumns} FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?`;
    return this.#inside(repository, (id) => this.#statements.all(sql, id, after, limit).map(tagOf), []);
  }

  tag(repository: string, tag: string): TagRecord | undefined {
    const sql = `SELECT ${tagColumns} FROM tags WHERE repository = ? AND name = ?`;
    const row = this.#inside(repository, (id) => this.#statements.get(sql, id, tag), undefined);
    return row === undefined ? undefined : tagOf(row);
  }

  /** Tags that stand for a digest. */
  tagsOf(repository: string, digest: Digest): string[] {
    const sql = "SELECT name FROM tags WHERE repository = ? AND digest = ? ORDER BY name";
    return this.#inside(
      repository,
      (id) => this.#statements.all(sql, id, keyOf(digest)).map(([name]) => name as string),
      [],
    );
  }

  manifest(repository: string, digest: Digest): ManifestRecord | undefined {
    const sql = `SELECT ${manifestColumns} FROM manifests WHERE repository = ? AND digest = ?`;
    const row = this.#inside(repository, (id) => this.#statements.get(sql, id, keyOf(digest)), undefined);
    return row === undefined ? undefined : manifestOf(row);
  }

  /** Those of the manifests, in order. */
  digests(repository: string, { after = "", limit }: Page): Digest[] {
    const sql = "SELECT lower(hex(digest)) FROM manifests WHERE repository = ? AND digest > ? ORDER BY digest LIMIT ?";
    const digests = (id: number): Digest[] =>
      this.#statements.all(sql, id, keyBefore(after), limit).map(([key]) => digestOfKey(key as string));
    return this.#inside(repository, digests, []);
  }

  /** In the order of digests. Each may take a few megabytes. */
  manifests(repository: string, { after = "", limit }: Page): ManifestRecord[] {
    const sql = `SELECT ${manifestColumns} FROM manifests WHERE repository = ? AND digest > ? ORDER BY manifests.digest LIMIT ?`;
    return this.#inside(repository, (id) => this.#statements.all(sql, id, keyBefore(after), limit).map(manifestOf), []);
  }

  /**
   * Manifests whose subject is this digest, in the order of digests. The one with which their annotations have more than `bytes` is the
   * last, or the second: they may be as large as manifests, each of them.
   */
  referrers(
    repository: string,
    subject: Digest,
    { bytes, ...page }: Page & { readonly artifactType?: string; readonly bytes: number },
  ): Referrer[] {
    const sizes = referring("octet_length(annotations)", subject, page);
    return this.#inside(
      repository,
      (id) => {
        let [count, sum] = [0, 0];
        for (const [size] of this.#statements.all(sizes.sql, id, ...sizes.values)) {
          if (count >= 2 && sum > bytes) break;
          count++;
          sum += Number(size);
        }
        const { sql, values } = referring(referrerColumns, subject, { ...page, limit: count });
        return this.#statements.all(sql, id, ...values).map(referrerOf);
      },
      [],
    );
  }

  /** Digests of all those, in order. */
  referrerDigests(repository: string, subject: Digest, page: Page): Digest[] {
    const { sql, values } = referring("lower(hex(digest))", subject, page);
    const digests = (id: number): Digest[] =>
      this.#statements.all(sql, id, ...values).map(([key]) => digestOfKey(key as string));
    return this.#inside(repository, digests, []);
  }

  /** Whether any manifest of the repository has this digest among its children. */
  refersTo(repository: string, digest: Digest): boolean {
    return this.#inside(repository, (id) => this.#uses.in(id, digest), false);
  }

  /** How many bytes a child has, as manifests of the repository say; none where none has it. */
  sizesOf(repository: string, digest: Digest): number[] {
    return this.#inside(repository, (id) => this.#uses.sizes(id, digest), []);
  }

  /** Whether any manifest anywhere has this digest among its children, or is it. */
  isUsed(digest: Digest): boolean {
    return this.#guarded(() => this.#uses.anywhere(digest));
  }

  /** Repositories with a manifest that has this digest among its children; a few of them at least. */
  holders(digest: Digest): string[] {
    return this.#guarded(() => this.#uses.holders(digest));
  }

  /** Manifests that have this digest among their children, or are it; a few of them at least. */
  users(digest: Digest): { repository: string; manifest: Digest }[] {
    return this.#guarded(() => this.#uses.users(digest));
  }

  /** Whether the repository holds a manifest that could not be read whole. */
  unreadable(repository: string): Digest[] {
    const sql = "SELECT lower(hex(digest)) FROM manifests WHERE repository = ? AND readable = 0 ORDER BY digest";
    const digests = (id: number): Digest[] => this.#statements.all(sql, id).map(([key]) => digestOfKey(key as string));
    return this.#inside(repository, digests, []);
  }

  /** In byte order. */
  repositories({ after = "", limit }: Page): string[] {
    const sql = "SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?";
    return this.#guarded(() => this.#statements.all(sql, after, limit).map(([name]) => name as string));
  }

  counts(): { readonly repositories: number; readonly tags: number; readonly manifests: number } {
    const count = (table: string): number => (this.#statements.get(`SELECT count(*) FROM ${table}`) as [number])[0];
    return this.#guarded(() => ({
      repositories: count("repositories"),
      tags: count("tags"),
      manifests: count("manifests"),
    }));
  }

  /**
   * Notes what a manifest with many children uses, in slices with turns of the event loop between them, so that `putManifest` has little
   * left to do. Until that comes nobody sees any of it; where it never comes, nothing is wrong with what is left.
   */
  async prepareManifest(repository: string, manifest: ManifestRecord): Promise<void> {
    if (manifest.references.length <= mostAtOnce) return;
    try {
      const prepared = await this.#prepare(repository, manifest);
      if (prepared !== undefined) this.#prepared.set(manifest, prepared);
    } catch (error) {
      // Then `putManifest` does all of it, and fails where it cannot.
      if (!isDrayError(error, "DISK")) throw error;
    }
  }

  async #prepare(repository: string, manifest: ManifestRecord): Promise<Prepared | undefined> {
    if (this.#holdsAlready(repository, manifest)) return undefined;
    const { references, sizes } = manifest;
    const generation = this.#generation;
    const repositoryId = this.transaction(() => this.#made(repository));
    const id = this.#guarded(() => this.#newManifest());
    const children: Uint8Array[] = [];
    for (let at = 0; at < references.length; at += mostAtOnce) {
      // It fills anew, and this with it.
      if (this.#generation !== generation || this.#isClosed) return undefined;
      const some = references.slice(at, at + mostAtOnce);
      children.push(packed(some));
      const used = some.map((one, i) => [one, sizes?.[at + i]] as const);
      this.transaction(() => this.#uses.add(repositoryId, id, used));
      await turn();
    }
    return { generation, id, children: Buffer.concat(children) };
  }

  putManifest(repository: string, manifest: ManifestRecord): void {
    const prepared = this.#prepared.get(manifest);
    const key = keyOf(manifest.digest);
    this.transaction(() => {
      const repositoryId = this.#made(repository);
      const { mediaType, size, artifactType, subject, annotations, references, sizes, readable, pushedAt } = manifest;
      const facts = [
        mediaType,
        size,
        artifactType ?? null,
        subject === undefined ? null : keyOf(subject),
        annotations ?? null,
        readable ? 1 : 0,
        pushedAt,
      ] as const;
      if (this.#holdsAlready(repository, manifest)) {
        const set = "type = ?, size = ?, artifact = ?, subject = ?, annotations = ?, readable = ?, pushed = ?";
        this.#statements.run(
          `UPDATE manifests SET ${set} WHERE repository = ? AND digest = ?`,
          ...facts,
          repositoryId,
          key,
        );
        return;
      }
      this.#dropManifest(repositoryId, manifest.digest);
      const isPrepared = prepared !== undefined && prepared.generation === this.#generation;
      const id = isPrepared ? prepared.id : this.#newManifest();
      this.#statements.run(
        `INSERT INTO manifests
          (id, repository, digest, type, size, artifact, subject, annotations, readable, pushed, children)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        repositoryId,
        key,
        ...facts,
        isPrepared ? prepared.children : packed(references),
      );
      const used = isPrepared ? [] : references.map((digest, i) => [digest, sizes?.[i]] as const);
      this.#uses.add(repositoryId, id, [[manifest.digest, size], ...used]);
    });
  }

  /** What a manifest uses follows from its digest: with as many children it is the same, and only what was said beside it may be new. */
  #holdsAlready(repository: string, { digest, references }: ManifestRecord): boolean {
    if (references.length === 0) return false;
    const sql = "SELECT length(children) FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.#inside(repository, (id) => this.#statements.get(sql, id, keyOf(digest)), undefined);
    return row !== undefined && row[0] === references.reduce((sum, one) => sum + keyLength(one), 0);
  }

  /** A number that no manifest has or ever had while this process lives: what is prepared has one before there is a row. */
  #newManifest(): number {
    this.#lastManifest ??= (this.#statements.get("SELECT coalesce(max(id), 0) FROM manifests") as [number])[0];
    return ++this.#lastManifest;
  }

  removeManifest(repository: string, digest: Digest): void {
    this.transaction(() => this.#inside(repository, (id) => this.#dropManifest(id, digest), undefined));
  }

  putTag(repository: string, { name, digest, at, version }: TagRecord): void {
    const sql = "INSERT OR REPLACE INTO tags (repository, name, digest, at, mtime, ino) VALUES (?, ?, ?, ?, ?, ?)";
    this.transaction(() => {
      const id = this.#made(repository);
      this.#statements.run(sql, id, name, keyOf(digest), at, version?.mtime ?? null, version?.ino ?? null);
    });
  }

  removeTag(repository: string, tag: string): void {
    const sql = "DELETE FROM tags WHERE repository = ? AND name = ?";
    this.transaction(() => this.#inside(repository, (id) => void this.#statements.run(sql, id, tag), undefined));
  }

  hasRepository(repository: string): boolean {
    return this.#inside(repository, () => true, false);
  }

  /** Makes a repository known that has neither manifests nor tags, perhaps. */
  putRepository(repository: string): void {
    this.transaction(() => void this.#made(repository));
  }

  /** Forgets a repository and all in it. */
  removeRepository(repository: string): void {
    const remove = (id: number): void => {
      const digests = "SELECT lower(hex(digest)) FROM manifests WHERE repository = ?";
      for (const [key] of this.#statements.all(digests, id)) this.#dropManifest(id, digestOfKey(key as string));
      this.#statements.run("DELETE FROM tags WHERE repository = ?", id);
      this.#statements.run("DELETE FROM repositories WHERE id = ?", id);
    };
    this.transaction(() => this.#inside(repository, remove, undefined));
  }

  /** Makes all changes inside one transaction: all of them or none. */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    return this.#guarded(() => {
      this.#statements.run("BEGIN IMMEDIATE");
      this.#inTransaction = true;
      try {
        const result = work();
        this.#statements.run("COMMIT");
        return result;
      } catch (error) {
        this.#uses.recount();
        try {
          this.#statements.run("ROLLBACK");
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
    this.#lastManifest = undefined;
    this.#left.length = 0;
    try {
      this.#database.close();
      if (this.#file !== ":memory:") removeDatabase(this.#file);
    } catch {
      // What is left of it is found when it is opened.
    }
    this.#database = openDatabase(where === "memory" ? ":memory:" : this.#file, indexFormat, this.#options);
    this.#statements = new Statements(this.#database);
    this.#uses = new Uses(this.#statements);
  }

  close(): void {
    this.#isClosed = true;
    this.#database.close();
  }

  /** The uses of many children go later, in slices: without the row that they are of, nobody sees them. */
  #dropManifest(repository: number, digest: Digest): void {
    const find = "SELECT id, lower(hex(children)) FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.#statements.get(find, repository, keyOf(digest));
    if (row === undefined) return;
    const [id, children] = row as [number, string];
    this.#statements.run("DELETE FROM manifests WHERE id = ?", id);
    const used = [digest, ...unpacked(children)];
    if (used.length > mostAtOnce) this.#leave(repository, id, used);
    else this.#uses.remove(repository, id, used);
  }

  #leave(repository: number, manifest: number, used: readonly Digest[]): void {
    if (this.#left.push({ repository, manifest, used, at: 0 }) === 1) setImmediate(() => this.#sweep()).unref();
  }

  /** Removes a slice of what is left, and comes again. */
  #sweep(): void {
    const next = this.#left[0];
    if (next === undefined || this.#isClosed) return;
    const { repository, manifest, used, at } = next;
    const some = used.slice(at, at + mostAtOnce / 5);
    try {
      this.transaction(() => this.#uses.remove(repository, manifest, some));
    } catch {
      // The index fails, of which others hear: these rows mean nothing.
    }
    next.at += some.length;
    if (next.at >= used.length) this.#left.shift();
    if (this.#left.length > 0) setImmediate(() => this.#sweep()).unref();
  }

  #id(repository: string): number | undefined {
    return this.#statements.get("SELECT id FROM repositories WHERE name = ?", repository)?.[0] as number | undefined;
  }

  #made(repository: string): number {
    const id = this.#id(repository);
    return id ?? this.#statements.run("INSERT INTO repositories (name) VALUES (?)", repository).lastInsertRowid;
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

const referring = (
  columns: string,
  subject: Digest,
  { after = "", limit, artifactType }: Page & { readonly artifactType?: string },
): { sql: string; values: SQLInputValue[] } => {
  const typed = artifactType === undefined ? [] : [artifactType];
  const ofType = artifactType === undefined ? "" : " AND artifact = ?";
  return {
    sql: `SELECT ${columns} FROM manifests WHERE repository = ? AND subject = ?${ofType} AND digest > ? ORDER BY manifests.digest LIMIT ?`,
    values: [keyOf(subject), ...typed, keyBefore(after), limit],
  };
};
