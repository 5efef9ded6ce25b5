import type { SQLInputValue } from "node:sqlite";
import type { Digest } from "dray/oci";
import { digestOfKey, keyBefore, keyOf } from "./digest-key.ts";
import { IndexWrites } from "./index-writes.ts";
import type { ManifestRecord, Page, Referrer, TagRecord } from "./records.ts";
import { countUpTo, manifestColumns, manifestOf, referrerColumns, referrerOf, tagColumns, tagOf } from "./rows.ts";

/** Bytes of children that are read at once. */
const mostBytesOfChildren = 1_000_000;

/**
 * What the registry knows of its tree, in tables. Derived: it can be deleted at any time and is rebuilt. All calls are synchronous and
 * short; a page never costs more for what lies before it. A write that fails throws `DISK` and has changed nothing.
 */
export class Metadata extends IndexWrites {
  /** In byte order. */
  tags(repository: string, { after = "", limit }: Page): TagRecord[] {
    const sql = `SELECT ${tagColumns} FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?`;
    return this.inside(repository, (id) => this.statements.all(sql, id, after, limit).map(tagOf), []);
  }

  tag(repository: string, tag: string): TagRecord | undefined {
    const sql = `SELECT ${tagColumns} FROM tags WHERE repository = ? AND name = ?`;
    const row = this.inside(repository, (id) => this.statements.get(sql, id, tag), undefined);
    return row === undefined ? undefined : tagOf(row);
  }

  /** Tags that stand for a digest. */
  tagsOf(repository: string, digest: Digest): string[] {
    const sql = "SELECT name FROM tags WHERE repository = ? AND digest = ? ORDER BY name";
    return this.inside(
      repository,
      (id) => this.statements.all(sql, id, keyOf(digest)).map(([name]) => name as string),
      [],
    );
  }

  manifest(repository: string, digest: Digest): ManifestRecord | undefined {
    const sql = `SELECT ${manifestColumns} FROM manifests WHERE repository = ? AND digest = ?`;
    const row = this.inside(repository, (id) => this.statements.get(sql, id, keyOf(digest)), undefined);
    return row === undefined ? undefined : manifestOf(row);
  }

  /** Those of the manifests, in order. */
  digests(repository: string, { after = "", limit }: Page): Digest[] {
    const sql = "SELECT lower(hex(digest)) FROM manifests WHERE repository = ? AND digest > ? ORDER BY digest LIMIT ?";
    const digests = (id: number): Digest[] =>
      this.statements.all(sql, id, keyBefore(after), limit).map(([key]) => digestOfKey(key as string));
    return this.inside(repository, digests, []);
  }

  /** In the order of digests; fewer than `limit` where they have very many children, but one at least. */
  manifests(repository: string, { after = "", limit }: Page): ManifestRecord[] {
    const from = "FROM manifests WHERE repository = ? AND digest > ? ORDER BY manifests.digest LIMIT ?";
    const read = (id: number): ManifestRecord[] => {
      const sizes = this.statements.all(`SELECT length(children) ${from}`, id, keyBefore(after), limit);
      const count = countUpTo(mostBytesOfChildren, sizes, 1);
      return this.statements.all(`SELECT ${manifestColumns} ${from}`, id, keyBefore(after), count).map(manifestOf);
    };
    return this.inside(repository, read, []);
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
    return this.inside(
      repository,
      (id) => {
        const count = countUpTo(bytes, this.statements.all(sizes.sql, id, ...sizes.values), 2);
        const { sql, values } = referring(referrerColumns, subject, { ...page, limit: count });
        return this.statements.all(sql, id, ...values).map(referrerOf);
      },
      [],
    );
  }

  /** Digests of all those, in order. */
  referrerDigests(repository: string, subject: Digest, page: Page): Digest[] {
    const { sql, values } = referring("lower(hex(digest))", subject, page);
    const digests = (id: number): Digest[] =>
      this.statements.all(sql, id, ...values).map(([key]) => digestOfKey(key as string));
    return this.inside(repository, digests, []);
  }

  /** Whether any manifest of the repository has this digest among its children. */
  refersTo(repository: string, digest: Digest): boolean {
    return this.inside(repository, (id) => this.uses.in(id, digest), false);
  }

  /** Manifests of the repository that have this digest among their children: one more than `most` at least, where there are so many. */
  parents(repository: string, digest: Digest, most: number): Digest[] {
    return this.inside(repository, (id) => this.uses.parents(id, digest, most), []);
  }

  /** How many bytes a child has, as manifests of the repository say; none where none has it. */
  sizesOf(repository: string, digest: Digest): number[] {
    return this.inside(repository, (id) => this.uses.sizes(id, digest), []);
  }

  /** Whether any manifest anywhere has this digest among its children, or is it. */
  isUsed(digest: Digest): boolean {
    return this.guarded(() => this.uses.anywhere(digest));
  }

  /** Repositories with a manifest that has this digest among its children; a few of them at least. */
  holders(digest: Digest): string[] {
    return this.guarded(() => this.uses.holders(digest));
  }

  /** Manifests that have this digest among their children, or are it; a few of them at least. */
  users(digest: Digest): { repository: string; manifest: Digest }[] {
    return this.guarded(() => this.uses.users(digest));
  }

  /** Whether the repository holds a manifest that could not be read whole. */
  unreadable(repository: string): Digest[] {
    const sql = "SELECT lower(hex(digest)) FROM manifests WHERE repository = ? AND readable = 0 ORDER BY digest";
    const digests = (id: number): Digest[] => this.statements.all(sql, id).map(([key]) => digestOfKey(key as string));
    return this.inside(repository, digests, []);
  }

  /** In byte order. */
  repositories({ after = "", limit }: Page): string[] {
    const sql = "SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?";
    return this.guarded(() => this.statements.all(sql, after, limit).map(([name]) => name as string));
  }

  counts(): { readonly repositories: number; readonly tags: number; readonly manifests: number } {
    const count = (table: string): number => (this.statements.get(`SELECT count(*) FROM ${table}`) as [number])[0];
    return this.guarded(() => ({
      repositories: count("repositories"),
      tags: count("tags"),
      manifests: count("manifests"),
    }));
  }

  hasRepository(repository: string): boolean {
    return this.inside(repository, () => true, false);
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
