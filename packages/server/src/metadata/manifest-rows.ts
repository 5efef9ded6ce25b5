import { setImmediate as turn } from "node:timers/promises";
import { isDrayError } from "dray/errors";
import type { Digest } from "dray/oci";
import { keyLength, keyOf, packed, unpacked } from "./digest-key.ts";
import type { IndexDatabase } from "./index-database.ts";
import type { ManifestRecord } from "./records.ts";

/** Children whose uses are written at once: more would keep everybody waiting. */
const mostAtOnce = 200;

/** What was written of a manifest before its row. */
interface Prepared {
  readonly generation: number;
  readonly id: number;
  readonly children: Uint8Array;
}

/**
 * Manifests as rows, each with the uses of its children. A row is written and removed in one transaction; thousands of uses go before it or
 * after it, in slices, because without the row nobody sees them.
 */
export class ManifestRows {
  readonly #index: IndexDatabase;
  #last: { readonly generation: number; id: number } | undefined;
  /** Uses of manifests that are gone. */
  readonly #left: { generation: number; repository: number; manifest: number; used: readonly Digest[]; at: number }[] =
    [];
  readonly #prepared = new WeakMap<ManifestRecord, Prepared>();

  constructor(index: IndexDatabase) {
    this.#index = index;
  }

  /**
   * Notes what a manifest with many children uses, in slices with turns of the event loop between them, so that `put` has little
   * left to do. Until that comes nobody sees any of it; where it never comes, nothing is wrong with what is left.
   */
  async prepare(repository: string, manifest: ManifestRecord): Promise<void> {
    if (manifest.references.length <= mostAtOnce) return;
    try {
      const prepared = await this.#prepareNow(repository, manifest);
      if (prepared !== undefined) this.#prepared.set(manifest, prepared);
    } catch (error) {
      // Then `put` does all of it, and fails where it cannot.
      if (!isDrayError(error, "DISK")) throw error;
    }
  }

  async #prepareNow(repository: string, manifest: ManifestRecord): Promise<Prepared | undefined> {
    if (this.#holdsAlready(repository, manifest)) return undefined;
    const { references, sizes } = manifest;
    const generation = this.#index.generation;
    const repositoryId = this.#index.transaction(() => this.#index.made(repository));
    const id = this.#index.guarded(() => this.#newManifest());
    const children: Uint8Array[] = [];
    for (let at = 0; at < references.length; at += mostAtOnce) {
      // It fills anew, and this with it.
      if (this.#index.generation !== generation || this.#index.isClosed) return undefined;
      const some = references.slice(at, at + mostAtOnce);
      children.push(packed(some));
      const used = some.map((one, i) => [one, sizes?.[at + i]] as const);
      this.#index.transaction(() => this.#index.uses.add(repositoryId, id, used));
      await turn();
    }
    return { generation, id, children: Buffer.concat(children) };
  }

  put(repository: string, manifest: ManifestRecord): void {
    const prepared = this.#prepared.get(manifest);
    const key = keyOf(manifest.digest);
    this.#index.transaction(() => {
      const repositoryId = this.#index.made(repository);
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
        this.#index.statements.run(
          `UPDATE manifests SET ${set} WHERE repository = ? AND digest = ?`,
          ...facts,
          repositoryId,
          key,
        );
        return;
      }
      this.drop(repositoryId, manifest.digest);
      const isPrepared = prepared !== undefined && prepared.generation === this.#index.generation;
      const id = isPrepared ? prepared.id : this.#newManifest();
      this.#index.statements.run(
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
      this.#index.uses.add(repositoryId, id, [[manifest.digest, size], ...used]);
    });
  }

  /** What a manifest uses follows from its digest: with as many children it is the same, and only what was said beside it may be new. */
  #holdsAlready(repository: string, { digest, references }: ManifestRecord): boolean {
    if (references.length === 0) return false;
    const sql = "SELECT length(children) FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.#index.inside(repository, (id) => this.#index.statements.get(sql, id, keyOf(digest)), undefined);
    return row !== undefined && row[0] === references.reduce((sum, one) => sum + keyLength(one), 0);
  }

  /** A number that no manifest has or ever had while this process lives: what is prepared has one before there is a row. */
  #newManifest(): number {
    const { generation, statements } = this.#index;
    if (this.#last?.generation !== generation) {
      const [id] = statements.get("SELECT coalesce(max(id), 0) FROM manifests") as [number];
      this.#last = { generation, id };
    }
    return ++this.#last.id;
  }

  /** The uses of many children go later, in slices: without the row that they are of, nobody sees them. */
  drop(repository: number, digest: Digest): void {
    const find = "SELECT id, lower(hex(children)) FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.#index.statements.get(find, repository, keyOf(digest));
    if (row === undefined) return;
    const [id, children] = row as [number, string];
    this.#index.statements.run("DELETE FROM manifests WHERE id = ?", id);
    const used = [digest, ...unpacked(children)];
    if (used.length > mostAtOnce) this.#leave(repository, id, used);
    else this.#index.uses.remove(repository, id, used);
  }

  #leave(repository: number, manifest: number, used: readonly Digest[]): void {
    const { generation } = this.#index;
    if (this.#left.push({ generation, repository, manifest, used, at: 0 }) === 1)
      setImmediate(() => this.#sweep()).unref();
  }

  /** Removes a slice of what is left, and comes again. */
  #sweep(): void {
    // What was lost with the file has nothing left.
    while (this.#left[0] !== undefined && this.#left[0].generation !== this.#index.generation) this.#left.shift();
    const next = this.#left[0];
    if (next === undefined || this.#index.isClosed) return;
    const { repository, manifest, used, at } = next;
    const some = used.slice(at, at + mostAtOnce / 2);
    try {
      this.#index.transaction(() => this.#index.uses.remove(repository, manifest, some));
    } catch {
      // The index fails, of which others hear: these rows mean nothing.
    }
    next.at += some.length;
    if (next.at >= used.length) this.#left.shift();
    if (this.#left.length > 0) setImmediate(() => this.#sweep()).unref();
  }
}
