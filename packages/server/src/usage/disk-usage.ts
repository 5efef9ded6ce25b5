import { Yielding } from "dray/internal/async";
import { type Digest, isTag } from "dray/oci";
import { quarantine } from "../blobs/index.ts";
import type { Tree } from "../distribution-tree/index.ts";
import { DigestSet } from "../gc/index.ts";
import type { Driver } from "../storage/index.ts";

/** What a repository holds. */
export interface RepositoryUsage {
  readonly repository: string;
  readonly tags: number;
  readonly manifests: number;
  /** Configurations and layers. */
  readonly blobs: number;
  /** Bytes of all of them and of the manifests, each once: what a copy of the repository alone would take. */
  readonly bytes: number;
  /** Bytes of those that no other repository holds: what would be given back if it went. */
  readonly own: number;
}

/** What the pool holds. */
export interface DiskUsage {
  readonly repositories: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Bytes that no repository holds: garbage collection gives them back once they are old enough. */
  readonly unlinked: number;
  /** Bytes of damaged data that verification put aside: they stay until the operator removes them. */
  readonly quarantined: number;
}

export interface UsageOptions {
  readonly tree: Tree;
  readonly driver: Driver;
  readonly signal?: AbortSignal;
  /** Hears of each repository, in byte order of the names. */
  readonly onRepository?: (usage: RepositoryUsage) => void;
}

/**
 * Counts what each repository and the whole pool take, while the registry goes on. The names of what is held are remembered in some
 * twenty bytes each, so that a figure may be wrong by one blob in many millions.
 */
export const diskUsage = async ({ tree, driver, signal, onRepository }: UsageOptions): Promise<DiskUsage> => {
  const yielding = new Yielding({ signal });
  const held = new DigestSet();
  const shared = new DigestSet();
  for await (const repository of tree.repositories()) {
    const before = new DigestSet();
    for await (const { digest } of linksOf(tree, repository)) {
      if (before.has(digest)) continue;
      before.add(digest);
      (held.has(digest) ? shared : held).add(digest);
      await yielding.turn();
    }
  }
  let repositories = 0;
  for await (const repository of tree.repositories()) {
    repositories++;
    onRepository?.(await usageOf(tree, repository, shared, yielding));
  }
  const all = { blobs: 0, bytes: 0, unlinked: 0, quarantined: await quarantinedIn(driver) };
  for await (const digest of tree.blobs()) {
    const size = await tree.blobSize(digest);
    if (size !== undefined) {
      all.blobs++;
      all.bytes += size;
      if (!held.has(digest)) all.unlinked += size;
    }
    await yielding.turn();
  }
  await tree.refuseGone();
  return { repositories, ...all };
};

/** Bytes of all that lies aside. */
const quarantinedIn = async (driver: Driver): Promise<number> => {
  let bytes = 0;
  for (const algorithm of (await driver.list(quarantine)) ?? [])
    for (const name of (await driver.list(`${quarantine}/${algorithm}`)) ?? []) {
      const facts = await driver.stat(`${quarantine}/${algorithm}/${name}`);
      if (facts?.directory === false) bytes += facts.size;
    }
  return bytes;
};

const usageOf = async (
  tree: Tree,
  repository: string,
  shared: DigestSet,
  yielding: Yielding,
): Promise<RepositoryUsage> => {
  const counts = { manifests: 0, blobs: 0, bytes: 0, own: 0 };
  const seen = new DigestSet();
  for await (const { digest, kind } of linksOf(tree, repository)) {
    await yielding.turn();
    if (seen.has(digest)) continue;
    seen.add(digest);
    const size = await tree.blobSize(digest);
    if (size === undefined) continue;
    counts[kind]++;
    counts.bytes += size;
    if (!shared.has(digest)) counts.own += size;
  }
  let tags = 0;
  for (const name of await tree.tagFolders(repository)) {
    if (isTag(name)) tags++;
    await yielding.turn();
  }
  return { repository, tags, ...counts };
};

/** What a repository links, manifests first. */
async function* linksOf(
  tree: Tree,
  repository: string,
): AsyncGenerator<{ readonly digest: Digest; readonly kind: "manifests" | "blobs" }> {
  for await (const folder of tree.revisions(repository)) {
    // An empty folder is a manifest that was deleted.
    const digest = await tree.revisionTarget(repository, folder);
    if (digest !== undefined) yield { digest, kind: "manifests" };
  }
  for await (const folder of tree.layers(repository)) {
    const digest = await tree.layer(repository, folder);
    if (digest !== undefined) yield { digest, kind: "blobs" };
  }
}
