import type { Statements } from "@dray/service/sqlite";
import type { Digest } from "dray/oci";
import { digestOfKey, keyOf, shortKey } from "./digest-key.ts";

/** How many repositories `holders` tells, and manifests `sizes` asks: a layer may be in every image of a repository. */
const enough = 16;

/**
 * Which manifests have a digest among their children, or are it. Digests come in no order, and a row put alone into a large table
 * costs a page written: so rows gather in a small table and move from there side by side. That makes a rebuild several times
 * cheaper. A row holds the beginning of the digest alone; the manifest says whether it is this one.
 */
export class Uses {
  readonly #statements: Statements;
  readonly #most: number;
  readonly #slice: number;
  #waiting: number | undefined;
  /** Moving goes round and round, and begins anywhere. */
  #moved = -1;

  /** @param options rows that wait in the small table at most, and how many move together */
  constructor(statements: Statements, { most = 50_000, slice = 256 }: { most?: number; slice?: number } = {}) {
    this.#statements = statements;
    this.#most = most;
    this.#slice = slice;
  }

  /** @param used digests, and how many bytes each has, where that is known */
  add(repository: number, manifest: number, used: Iterable<readonly [Digest, number | undefined]>): void {
    this.#waiting ??= (this.#statements.get("SELECT count(*) FROM recent_uses") as [number])[0];
    const rows = new Map([...used].map(([digest, size]) => [shortKey(digest), size] as const));
    // One call, since calls cost more than rows.
    const insert = "INSERT OR REPLACE INTO recent_uses SELECT value ->> 0, ?, ?, value ->> 1 FROM json_each(?)";
    this.#statements.run(insert, repository, manifest, JSON.stringify([...rows]));
    this.#waiting += rows.size;
    if (this.#waiting > this.#most) this.#waiting -= this.#move();
  }

  remove(repository: number, manifest: number, digests: Iterable<Digest>): void {
    const where = "WHERE short = ? AND repository = ? AND manifest = ?";
    for (const short of shortKeys(digests)) {
      this.#statements.run(`DELETE FROM recent_uses ${where}`, short, repository, manifest);
      this.#statements.run(`DELETE FROM uses ${where}`, short, repository, manifest);
    }
    this.recount();
  }

  /** What was counted is not true any more. */
  recount(): void {
    this.#waiting = undefined;
  }

  /** Whether a manifest of the repository has it among its children. */
  in(repository: number, digest: Digest): boolean {
    return tables.some(
      (table) =>
        this.#statements.get(
          `SELECT 1 FROM ${table} AS uses CROSS JOIN manifests ON id = manifest
           WHERE short = ? AND uses.repository = ? AND instr(children, ?) LIMIT 1`,
          shortKey(digest),
          repository,
          keyOf(digest),
        ) !== undefined,
    );
  }

  /** How many bytes it has, as manifests of the repository say that have it among their children; a few of those at least. */
  sizes(repository: number, digest: Digest): number[] {
    const sizes = new Set<number>();
    for (const table of tables)
      for (const [size] of this.#statements.all(
        `SELECT uses.size FROM ${table} AS uses CROSS JOIN manifests ON id = manifest
         WHERE short = ? AND uses.repository = ? AND uses.size IS NOT NULL AND instr(children, ?) LIMIT ?`,
        shortKey(digest),
        repository,
        keyOf(digest),
        enough,
      ))
        sizes.add(size as number);
    return [...sizes];
  }

  /** Whether any manifest has it among its children, or is it. */
  anywhere(digest: Digest): boolean {
    const key = keyOf(digest);
    return tables.some(
      (table) =>
        this.#statements.get(
          `SELECT 1 FROM ${table} CROSS JOIN manifests ON id = manifest
           WHERE short = ? AND (digest = ? OR instr(children, ?)) LIMIT 1`,
          shortKey(digest),
          key,
          key,
        ) !== undefined,
    );
  }

  /** Some repositories with a manifest that has it among its children. */
  holders(digest: Digest): string[] {
    const names = new Set<string>();
    // From one repository to the next, however many manifests of each there are.
    for (const table of tables)
      for (let last = 0; names.size < enough; ) {
        const row = this.#statements.get(
          `SELECT uses.repository, name FROM ${table} AS uses CROSS JOIN manifests ON manifests.id = manifest
           CROSS JOIN repositories ON repositories.id = uses.repository
           WHERE short = ? AND uses.repository > ? AND instr(children, ?) ORDER BY uses.repository LIMIT 1`,
          shortKey(digest),
          last,
          keyOf(digest),
        );
        if (row === undefined) break;
        const [id, name] = row as [number, string];
        names.add(name);
        last = id;
      }
    return [...names];
  }

  /** Some manifests that have it among their children, or are it. */
  users(digest: Digest): { repository: string; manifest: Digest }[] {
    const key = keyOf(digest);
    const rows = tables.flatMap((table) =>
      this.#statements.all(
        `SELECT name, lower(hex(digest)) FROM ${table} AS uses CROSS JOIN manifests ON manifests.id = manifest
         CROSS JOIN repositories ON repositories.id = uses.repository
         WHERE short = ? AND (digest = ? OR instr(children, ?)) LIMIT ?`,
        shortKey(digest),
        key,
        key,
        enough,
      ),
    );
    return rows.map(([name, of]) => ({ repository: name as string, manifest: digestOfKey(of as string) }));
  }

  /** Some manifests of the repository that have it among their children: one more than `most` where there are so many. */
  parents(repository: number, digest: Digest, most: number): Digest[] {
    const rows = tables.flatMap((table) =>
      this.#statements.all(
        `SELECT lower(hex(digest)) FROM ${table} AS uses CROSS JOIN manifests ON manifests.id = manifest
         WHERE short = ? AND uses.repository = ? AND instr(children, ?) LIMIT ?`,
        shortKey(digest),
        repository,
        keyOf(digest),
        most + 1,
      ),
    );
    return rows.map(([of]) => digestOfKey(of as string));
  }

  /** Moves the next rows, and tells how many they were. */
  #move(): number {
    const behind = "SELECT short FROM recent_uses WHERE short > ? ORDER BY short LIMIT 1 OFFSET ?";
    const end = (this.#statements.get(behind, this.#moved, this.#slice)?.[0] as number | undefined) ?? 2 ** 48;
    const where = "WHERE short > ? AND short <= ?";
    this.#statements.run(`INSERT OR REPLACE INTO uses SELECT * FROM recent_uses ${where}`, this.#moved, end);
    const { changes } = this.#statements.run(`DELETE FROM recent_uses ${where}`, this.#moved, end);
    this.#moved = end === 2 ** 48 ? -1 : end;
    return changes;
  }
}

const tables = ["recent_uses", "uses"] as const;

const shortKeys = (digests: Iterable<Digest>): Set<number> => new Set([...digests].map(shortKey));
