import { setImmediate as turn } from "node:timers/promises";
import { isDrayError } from "dray/errors";
import type { Digest } from "dray/oci";
import { digestOfKey, keyLength, keyOf, packed, unpacked } from "./digest-key.ts";
import { IndexDatabase } from "./index-database.ts";
import type { ManifestRecord, TagRecord } from "./records.ts";

/** Children whose uses are written at once: more would keep everybody waiting. */
const mostAtOnce = 200;

/** What was written of a manifest before its row. */
interface Prepared {
  readonly generation: number;
  readonly id: number;
  readonly children: Uint8Array;
}

/**
 * What is written to the index: repositories, tags, and manifests with the uses of their children. Rows come and go in one transaction;
 * thousands of uses go before them or after them, in slices, because without the row nobody sees them.
 */
export class IndexWrites extends IndexDatabase {
  #last: { readonly generation: number; id: number } | undefined;
  /** Uses of manifests that are gone. */
  readonly #left: { generation: number; repository: number; manifest: number; used: readonly Digest[]; at: number }[] =
    [];
  readonly #prepared = new WeakMap<ManifestRecord, Prepared>();

  /**
   * Notes what a manifest with many children uses, in slices with turns of the event loop between them, so that `putManifest` has little
   * left to do. Until that comes nobody sees any of it; where it never comes, nothing is wrong with what is left.
   */
  async prepareManifest(repository: string, manifest: ManifestRecord): Promise<void> {
    if (manifest.references.length <= mostAtOnce) return;
    try {
      const prepared = await this.#prepareNow(repository, manifest);
      if (prepared !== undefined) this.#prepared.set(manifest, prepared);
    } catch (error) {
      // Then `putManifest` does all of it, and fails where it cannot.
      if (!isDrayError(error, "DISK")) throw error;
    }
  }

  async #prepareNow(repository: string, manifest: ManifestRecord): Promise<Prepared | undefined> {
    if (this.#holdsAlready(repository, manifest)) return undefined;
    const { references, sizes } = manifest;
    const generation = this.generation;
    const repositoryId = this.transaction(() => this.made(repository));
    const id = this.guarded(() => this.#newManifest());
    const children: Uint8Array[] = [];
    for (let at = 0; at < references.length; at += mostAtOnce) {
      // It fills anew, and this with it.
      if (this.generation !== generation || this.isClosed) return undefined;
      const some = references.slice(at, at + mostAtOnce);
      children.push(packed(some));
      const used = some.map((one, i) => [one, sizes?.[at + i]] as const);
      this.transaction(() => this.uses.add(repositoryId, id, used));
      await turn();
    }
    return { generation, id, children: Buffer.concat(children) };
  }

  putManifest(repository: string, manifest: ManifestRecord): void {
    const prepared = this.#prepared.get(manifest);
    const key = keyOf(manifest.digest);
    this.transaction(() => {
      const repositoryId = this.made(repository);
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
        this.statements.run(
          `UPDATE manifests SET ${set} WHERE repository = ? AND digest = ?`,
          ...facts,
          repositoryId,
          key,
        );
        return;
      }
      this.#drop(repositoryId, manifest.digest);
      const isPrepared = prepared !== undefined && prepared.generation === this.generation;
      const id = isPrepared ? prepared.id : this.#newManifest();
      this.statements.run(
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
      this.uses.add(repositoryId, id, [[manifest.digest, size], ...used]);
    });
  }

  removeManifest(repository: string, digest: Digest): void {
    this.transaction(() => this.inside(repository, (id) => this.#drop(id, digest), undefined));
  }

  putTag(repository: string, { name, digest, at, version }: TagRecord): void {
    const sql = "INSERT OR REPLACE INTO tags (repository, name, digest, at, mtime, ino) VALUES (?, ?, ?, ?, ?, ?)";
    this.transaction(() => {
      const id = this.made(repository);
      this.statements.run(sql, id, name, keyOf(digest), at, version?.mtime ?? null, version?.ino ?? null);
    });
  }

  removeTag(repository: string, tag: string): void {
    const sql = "DELETE FROM tags WHERE repository = ? AND name = ?";
    this.transaction(() => this.inside(repository, (id) => void this.statements.run(sql, id, tag), undefined));
  }

  /** Makes a repository known that has neither manifests nor tags, perhaps. */
  putRepository(repository: string): void {
    this.transaction(() => void this.made(repository));
  }

  /** Forgets a repository and all in it. */
  removeRepository(repository: string): void {
    const remove = (id: number): void => {
      const digests = "SELECT lower(hex(digest)) FROM manifests WHERE repository = ?";
      for (const [key] of this.statements.all(digests, id)) this.#drop(id, digestOfKey(key as string));
      this.statements.run("DELETE FROM tags WHERE repository = ?", id);
      this.statements.run("DELETE FROM repositories WHERE id = ?", id);
    };
    this.transaction(() => this.inside(repository, remove, undefined));
  }

  /** What a manifest uses follows from its digest: with as many children it is the same, and only what was said beside it may be new. */
  #holdsAlready(repository: string, { digest, references }: ManifestRecord): boolean {
    if (references.length === 0) return false;
    const sql = "SELECT length(children) FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.inside(repository, (id) => this.statements.get(sql, id, keyOf(digest)), undefined);
    return row !== undefined && row[0] === references.reduce((sum, one) => sum + keyLength(one), 0);
  }

  /** A number that no manifest has or ever had while this process lives: what is prepared has one before there is a row. */
  #newManifest(): number {
    const { generation, statements } = this;
    if (this.#last?.generation !== generation) {
      const [id] = statements.get("SELECT coalesce(max(id), 0) FROM manifests") as [number];
      this.#last = { generation, id };
    }
    return ++this.#last.id;
  }

  /** The uses of many children go later, in slices: without the row that they are of, nobody sees them. */
  #drop(repository: number, digest: Digest): void {
    const find = "SELECT id, lower(hex(children)) FROM manifests WHERE repository = ? AND digest = ?";
    const row = this.statements.get(find, repository, keyOf(digest));
    if (row === undefined) return;
    const [id, children] = row as [number, string];
    this.statements.run("DELETE FROM manifests WHERE id = ?", id);
    const used = [digest, ...unpacked(children)];
    if (used.length > mostAtOnce) this.#leave(repository, id, used);
    else this.uses.remove(repository, id, used);
  }

  #leave(repository: number, manifest: number, used: readonly Digest[]): void {
    const { generation } = this;
    if (this.#left.push({ generation, repository, manifest, used, at: 0 }) === 1)
      setImmediate(() => this.#sweep()).unref();
  }

  /** Removes a slice of what is left, and comes again. */
  #sweep(): void {
    // What was lost with the file has nothing left.
    while (this.#left[0] !== undefined && this.#left[0].generation !== this.generation) this.#left.shift();
    const next = this.#left[0];
    if (next === undefined || this.isClosed) return;
    const { repository, manifest, used, at } = next;
    const some = used.slice(at, at + mostAtOnce / 2);
    try {
      this.transaction(() => this.uses.remove(repository, manifest, some));
    } catch {
      // The index fails, of which others hear: these rows mean nothing.
    }
    next.at += some.length;
    if (next.at >= used.length) this.#left.shift();
    if (this.#left.length > 0) setImmediate(() => this.#sweep()).unref();
  }
}
