import type { Yielding } from "dray/internal/async";
import type { Digest } from "dray/oci";
import { type ManifestRecord, type Metadata, pages } from "../metadata/index.ts";

/** Manifests taken from the metadata at a time: few, since each page is one piece of work without a pause. */
const few = 16;

/** All manifests of a repository behind `after`, with rests in between. */
export async function* manifestsOf(
  metadata: Metadata,
  repository: string,
  yielding: Yielding,
  after = "",
): AsyncGenerator<ManifestRecord> {
  for (const manifests of pages(few, (page) => metadata.manifests(repository, page), after)) {
    yield* manifests;
    await yielding.turn();
  }
}

/** All repositories of the metadata. */
export async function* repositoriesOf(metadata: Metadata, yielding: Yielding): AsyncGenerator<string> {
  for (const names of pages(1000, (page) => metadata.repositories(page))) {
    yield* names;
    await yielding.turn();
  }
}

/**
 * What uses what. A run that removes asks the metadata; a dry run asks it as it would be without the manifests that would have gone, so
 * that it decides what the real one will decide.
 */
export class Reachability {
  readonly #metadata: Metadata;
  readonly #yielding: Yielding;
  readonly #excluded = new Map<string, Set<Digest>>();
  /** By repository: what only manifests that go have among their children. */
  readonly #orphans = new Map<string, Set<Digest>>();
  /** What nothing anywhere uses without them. */
  #unused = new Set<Digest>();

  constructor(metadata: Metadata, yielding: Yielding) {
    this.#metadata = metadata;
    this.#yielding = yielding;
  }

  /** Whether a manifest of the repository has this digest among its children. */
  refersTo(repository: string, digest: Digest): boolean {
    return this.#metadata.refersTo(repository, digest) && this.#orphans.get(repository)?.has(digest) !== true;
  }

  /** Whether a manifest anywhere has it among its children, or is it. */
  isUsed(digest: Digest): boolean {
    return this.#metadata.isUsed(digest) && !this.#unused.has(digest);
  }

  /** Whether a manifest counts as gone. */
  isExcluded(repository: string, digest: Digest): boolean {
    return this.#excluded.get(repository)?.has(digest) === true;
  }

  /** From now on these manifests count as gone. */
  async exclude(repository: string, manifests: ReadonlySet<Digest>): Promise<void> {
    if (manifests.size === 0) return;
    const orphans = new Set<Digest>();
    for (const digest of manifests) {
      for (const child of this.#metadata.manifest(repository, digest)?.references ?? []) orphans.add(child);
      await this.#yielding.turn();
    }
    for await (const { digest, references } of manifestsOf(this.#metadata, repository, this.#yielding))
      if (!manifests.has(digest)) for (const child of references) orphans.delete(child);
    this.#excluded.set(repository, new Set(manifests));
    this.#orphans.set(repository, orphans);
  }

  /** Looks through all other manifests for uses of what those that go used. Call it before `isUsed`. */
  async spread(): Promise<void> {
    if (this.#excluded.size === 0) return;
    const unused = new Set<Digest>();
    for (const digests of [...this.#excluded.values(), ...this.#orphans.values()])
      for (const digest of digests) {
        unused.add(digest);
        await this.#yielding.turn();
      }
    for await (const repository of repositoriesOf(this.#metadata, this.#yielding)) {
      const gone = this.#excluded.get(repository);
      for await (const { digest, references } of manifestsOf(this.#metadata, repository, this.#yielding)) {
        if (gone?.has(digest)) continue;
        unused.delete(digest);
        for (const child of references) unused.delete(child);
      }
    }
    this.#unused = unused;
  }
}
