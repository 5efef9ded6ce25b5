import { sortedInTurns, type Yielding } from "dray/internal/async";
import { type Digest, isTag, largestManifest } from "dray/oci";
import { type Blobs, type Completeness, distinct, isPulledAsManifest, neededOf } from "../blobs/index.ts";
import {
  type Child,
  inspectManifest,
  readLegacyManifest,
  readManifest,
  type Tree,
} from "../distribution-tree/index.ts";
import type { Finding, Sums } from "./types.ts";

export interface LinksOptions {
  readonly tree: Tree;
  readonly blobs: Pick<Blobs, "missed">;
  readonly completeness: Completeness;
  readonly repository: string;
  readonly sums: Sums;
  readonly yielding: Yielding;
  /** Rejects where nothing can be said, since the volume itself is not there. */
  readonly found: (finding: Finding) => Promise<void>;
}

/**
 * Follows what a repository's tags and manifests lead to: links, data and its size. What a push or a deletion changed meanwhile is looked
 * at once more before it is told of.
 */
export const verifyLinks = async (options: LinksOptions): Promise<void> => {
  const { tree, repository, sums, yielding } = options;
  sums.repositories++;
  for (const name of await sortedInTurns(await tree.tagFolders(repository), yielding)) {
    if (isTag(name) && (await tree.tagVersion(repository, name)) !== undefined) await verifyTag(options, name);
    await yielding.turn();
  }
  /** Children of which something was told. */
  const told = new Set<Digest>();
  for await (const digest of tree.revisions(repository)) {
    await verifyManifest(options, digest, told);
    await yielding.turn();
  }
};

const verifyTag = async ({ tree, repository, sums, found }: LinksOptions, tag: string): Promise<void> => {
  sums.tags++;
  const again = `push ${repository}:${tag} again, or delete the tag`;
  const link = await tree.tag(repository, tag);
  if (link === undefined) {
    if ((await tree.tagVersion(repository, tag)) !== undefined)
      await found({ kind: "tag", repository, tag, reason: "its link names no digest", remedy: again });
    return;
  }
  const { digest } = link;
  const isThere = async (): Promise<boolean> =>
    (await tree.revision(repository, digest)) !== undefined ||
    (await readLegacyManifest(tree, repository, digest, largestManifest)) !== undefined;
  if ((await isThere()) || (await tree.tag(repository, tag))?.digest !== digest) return;
  const hasData = (await tree.blobSize(digest)) !== undefined;
  const remedy = hasData ? `dray serve restore ${repository}@${digest} makes its links again` : again;
  await found({ kind: "tag", repository, tag, digest, reason: "it stands for a manifest that is not here", remedy });
};

const reasons = {
  torn: "its link names no digest",
  missing: "its data is missing",
  damaged: "its data has another digest",
} as const;

const verifyManifest = async (options: LinksOptions, digest: Digest, told: Set<Digest>): Promise<void> => {
  const { tree, repository, sums, found, completeness, yielding } = options;
  const read = () => readManifest(tree, repository, digest, largestManifest);
  let stored = await read();
  if (stored !== undefined && !("bytes" in stored)) stored = await read();
  if (stored === undefined) return;
  sums.manifests++;
  if (!("bytes" in stored)) {
    const { fault, size } = stored;
    const reason = fault === "too large" ? `its data has ${size} bytes` : reasons[fault];
    await found({
      kind: "manifest",
      repository,
      digest,
      reason,
      remedy: `push ${repository}@${digest} again, or delete it`,
    });
    return;
  }
  const inspection = await inspectManifest(stored.bytes, stored.pushedType);
  const { described } = inspection;
  const needed = distinct(neededOf(completeness, described.mediaType, inspection));
  for (const child of distinct(inspection.children).values()) {
    await yielding.turn();
    if (told.has(child.digest)) continue;
    const look = () => faultOf(options, described.mediaType, child);
    if ((await look()) === undefined) continue;
    const fault = await look();
    // Deleted meanwhile.
    if (fault === undefined || (await tree.revision(repository, digest)) === undefined) continue;
    if (fault === "absent" && !needed.has(child.digest)) {
      if ((child.urls ?? []).length === 0) sums.absent++;
      continue;
    }
    told.add(child.digest);
    const reason = fault === "absent" ? `${digest} needs it, and the repository has no link to it` : fault;
    const remedy = await remedyOf(options, digest, child.digest, fault === "absent");
    const isMissing = (await tree.blobSize(child.digest)) === undefined;
    await found({ kind: "blob", repository, digest: child.digest, reason, remedy });
    if (isMissing) await options.blobs.missed(child.digest);
  }
};

const remedyOf = async (
  { tree, repository }: LinksOptions,
  manifest: Digest,
  child: Digest,
  isAbsent: boolean,
): Promise<string> =>
  isAbsent && (await tree.blobSize(child)) !== undefined
    ? `dray serve restore ${repository}@${manifest} makes its link again`
    : `push an image with it to ${repository} again`;

/** What is wrong with a child; `absent`: nothing says that it was ever here. A manifest that is here has a turn of its own. */
const faultOf = async (
  { tree, repository }: LinksOptions,
  ofType: string,
  child: Child,
): Promise<string | undefined> => {
  const { digest, size: said } = child;
  const target = isPulledAsManifest(ofType, child) ? undefined : await tree.layer(repository, digest);
  if (target === undefined) return (await tree.revision(repository, digest)) === undefined ? "absent" : undefined;
  const size = await tree.blobSize(target);
  if (size === undefined) return "its data is missing";
  return size === said ? undefined : `its data has ${size} bytes, and a manifest says ${said}`;
};
