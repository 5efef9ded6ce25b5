import { DrayError, isDrayError } from "dray/errors";
import type { KeyedRwLock } from "dray/internal/async";
import {
  algorithmOf,
  type Digest,
  digestOf,
  isDigest,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  isTag,
  largestManifest,
} from "dray/oci";
import { type Described, type Inspection, inspectManifest } from "../distribution-tree/index.ts";
import type { Leases } from "../leases/index.ts";
import { type FormerTag, formerTags } from "./former-tags.ts";
import type { DeletionContext } from "./unlink.ts";

export interface RestoreContext extends DeletionContext {
  readonly locks: KeyedRwLock;
  /** By `repository\0tag`. Taken after the locks of digests. */
  readonly tagLocks: KeyedRwLock;
  readonly leases: Leases;
  readonly now: () => number;
}

/** What was made again. */
export interface Restored {
  readonly digest: Digest;
  readonly kind: "manifest" | "blob";
  /** Links that were missing and are there now, tags aside. */
  readonly links: number;
  /** The tag that was asked for, which stands for it now. */
  readonly tag?: string;
  /** Tags that were gone and are there again, the one that was asked for aside. */
  readonly putBack: readonly string[];
  /** All tags that stand for it now. */
  readonly tags: readonly string[];
  /** Those that stood for it, and do not. */
  readonly formerTags: readonly FormerTag[];
  /** Manifests of an index that are not here: it may have been so before. */
  readonly missing: readonly Digest[];
}

/**
 * Undoes a deletion as long as the data is there: makes the links of a manifest again with all that it needs, or that of a blob; by a tag's
 * name also the tag, as it was before it was deleted or before the last push to it. Nothing is linked where anything is gone that it
 * cannot do without.
 * @throws DrayError `NOT_FOUND` saying which data is gone, or that nobody knows what a tag stood for
 */
export const restore = async (
  context: RestoreContext,
  repository: string,
  name: string,
  { tags = false }: RestoreOptions = {},
): Promise<Restored> => {
  const { tree, reconciler } = context;
  await reconciler.reconcile(repository);
  if (isDigest(name)) {
    let putBack: readonly string[] = [];
    const putTagsBack = async (): Promise<void> => {
      putBack = await setFormerTags(context, repository, name);
    };
    const restored = await restoreDigest(context, repository, name, tags ? putTagsBack : undefined);
    return withTags(context, repository, { ...restored, putBack });
  }
  if (!isTag(name)) throw new DrayError("USAGE", `${name} is neither a tag nor a digest`);
  const digest = await formerly(context, repository, name);
  if (digest === undefined) {
    const current = (await tree.tag(repository, name))?.digest;
    const before = current === undefined ? "" : `${repository}:${name} is there, for ${current}; `;
    const what = current === undefined ? `${repository}:${name} stood for` : "it stood for before";
    throw new DrayError(
      "NOT_FOUND",
      `${before}nothing is known of what ${what}; the audit log tells digests: restore ${repository}@sha256:…`,
    );
  }
  const restored = await restoreDigest(context, repository, digest, async () => {
    await setTag(context, repository, name, digest);
  });
  await tree.notes.dropDeletedTag(repository, name);
  return withTags(context, repository, { ...restored, tag: name, putBack: [] });
};

export interface RestoreOptions {
  /** Of a digest: also puts the tags back that were deleted and stood for it. What stands for something else now stays so. */
  readonly tags?: boolean;
}

type Linked = Omit<Restored, "putBack" | "tags" | "formerTags">;

const withTags = async (
  context: RestoreContext,
  repository: string,
  restored: Linked & Pick<Restored, "putBack">,
): Promise<Restored> => {
  const { digest, kind } = restored;
  if (kind === "blob") return { ...restored, tags: [], formerTags: [] };
  const tags = context.metadata.tagsOf(repository, digest);
  return { ...restored, tags, formerTags: await formerTags(context, repository, digest) };
};

/**
 * Tells whether it did.
 * @param onlyIfGone leaves one alone that is there, and one that stood for something else when it was deleted
 */
const setTag = (
  { tree, metadata, reconciler, tagLocks, forget, now }: RestoreContext,
  repository: string,
  name: string,
  digest: Digest,
  onlyIfGone = false,
): Promise<boolean> =>
  tagLocks.hold({ exclusive: [`${repository}\0${name}`] }, async () => {
    if (onlyIfGone) {
      if ((await tree.tagVersion(repository, name)) !== undefined) return false;
      if (((await tree.notes.deletedTag(repository, name))?.digest ?? digest) !== digest) return false;
    }
    await reconciler.repositories.write(
      repository,
      () => tree.setTag(repository, name, digest),
      () => metadata.putTag(repository, { name, digest, at: now() }),
    );
    forget(repository);
    return true;
  });

const setFormerTags = async (context: RestoreContext, repository: string, digest: Digest): Promise<string[]> => {
  const set: string[] = [];
  for (const { tag, now } of await formerTags(context, repository, digest)) {
    if (now !== undefined) continue;
    if (!(await setTag(context, repository, tag, digest, true))) continue;
    set.push(tag);
    await context.tree.notes.dropDeletedTag(repository, tag);
  }
  return set;
};

/** What a tag stood for before it was deleted, or before it was set to what it stands for now. */
const formerly = async ({ tree }: RestoreContext, repository: string, tag: string): Promise<Digest | undefined> => {
  const noted = (await tree.notes.deletedTag(repository, tag))?.digest;
  if ((await tree.tagVersion(repository, tag)) === undefined) return noted;
  const current = (await tree.tag(repository, tag))?.digest;
  let [before, last]: [Digest | undefined, number] = [undefined, Number.NEGATIVE_INFINITY];
  for await (const digest of tree.tagHistory(repository, tag)) {
    const setAt = await tree.tagSetAt(repository, tag, digest);
    if (digest !== current && setAt !== undefined && setAt > last) [before, last] = [digest, setAt];
  }
  // The history of a tag that was deleted begins anew with the next push.
  return before ?? (noted === current ? undefined : noted);
};

/** @param last done before anybody else may touch it; then it has to be a manifest */
const restoreDigest = async (
  context: RestoreContext,
  repository: string,
  root: Digest,
  last?: () => Promise<unknown>,
): Promise<Linked> => {
  const { needs } = await plan(context, repository, root);
  return context.locks.hold({ shared: needs, exclusive: [root] }, async () => {
    // Once more, now that nobody can take anything away.
    const { kind, missing, steps } = await plan(context, repository, root);
    if (kind === "blob" && last !== undefined)
      throw new DrayError("NOT_FOUND", `${repository}@${root} is no manifest; no tag can stand for it`);
    let links = 0;
    for (const step of steps) links += await step();
    await last?.();
    context.leases.record(repository, root);
    return { digest: root, kind, links, missing };
  });
};

interface Plan extends Pick<Restored, "kind" | "missing"> {
  /** Everything below the root. */
  readonly needs: readonly Digest[];
  /** Each tells how many links it made. From the bottom up: whoever is cut off leaves no link without what it needs. */
  readonly steps: readonly (() => Promise<number>)[];
}

const plan = async (context: RestoreContext, repository: string, root: Digest): Promise<Plan> => {
  const { tree } = context;
  const steps: (() => Promise<number>)[] = [];
  const missing: Digest[] = [];
  const needs = new Set<Digest>();
  const gone = (digest: Digest): DrayError => {
    const whose = digest === root ? "its data" : `${digest}, which it needs,`;
    return new DrayError("NOT_FOUND", `${repository}@${root} cannot be restored: ${whose} is gone`);
  };
  const waiting: Digest[] = [root];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    const bytes = await bytesOf(context, digest);
    if (bytes === "missing" && digest !== root) {
      missing.push(digest);
      continue;
    }
    if (bytes === "missing") throw gone(digest);
    if (bytes === "no manifest") {
      if (digest !== root) throw gone(digest);
      return { kind: "blob", missing, needs: [], steps: [() => linkBlob(context, repository, root)] };
    }
    const inspected = await inspectManifest(bytes, await tree.notes.pushedType(repository, digest));
    const { described, children } = wholeOf(repository, digest, inspected);
    const manifest = digest;
    steps.push(() => linkManifest(context, repository, manifest, bytes, described));
    for (const child of children) {
      if (child.digest === root || needs.has(child.digest)) continue;
      needs.add(child.digest);
      if (isManifestType(child.mediaType) || isIndexType(child.mediaType)) waiting.push(child.digest);
      else {
        const linked = await tree.layer(repository, child.digest);
        if ((await tree.blobSize(linked ?? child.digest)) !== undefined)
          steps.push(() => linkBlob(context, repository, child.digest));
        else if (!isForeignLayerType(child.mediaType)) throw gone(child.digest);
      }
    }
  }
  return { kind: "manifest", missing: missing.reverse(), needs: [...needs], steps: steps.reverse() };
};

const linkBlob = async ({ tree, forget }: RestoreContext, repository: string, digest: Digest): Promise<number> => {
  if ((await tree.layer(repository, digest)) !== undefined) {
    await tree.renewLayer(repository, digest);
    return 0;
  }
  await tree.linkLayer(repository, digest);
  await tree.touchBlob(digest);
  forget(repository);
  return 1;
};

const linkManifest = async (
  { tree, metadata, reconciler, forget, now }: RestoreContext,
  repository: string,
  digest: Digest,
  bytes: Uint8Array,
  described: Described,
): Promise<number> => {
  const isThere = (await tree.revision(repository, digest)) !== undefined;
  await tree.touchBlob(digest);
  const record = { ...described, digest, size: bytes.byteLength, pushedAt: now() };
  const inTree = async (): Promise<void> => {
    await tree.linkRevision(repository, digest);
    await metadata.prepareManifest(repository, record);
  };
  await reconciler.repositories.write(repository, inTree, () => metadata.putManifest(repository, record));
  forget(repository);
  return isThere ? 0 : 1;
};

const wholeOf = (repository: string, digest: Digest, inspected: Inspection): Inspection => {
  const { fault } = inspected;
  if (fault === undefined) return inspected;
  if (!isDrayError(fault)) throw fault;
  throw new DrayError("NOT_FOUND", `${repository}@${digest} cannot be restored: ${fault.message}`);
};

/** The content of a manifest, in the pool. Whatever else lies there is no manifest, or damaged, which is the same to whoever wants one. */
const bytesOf = async ({ tree }: RestoreContext, digest: Digest): Promise<Uint8Array | "missing" | "no manifest"> => {
  const size = await tree.blobSize(digest);
  if (size === undefined) return "missing";
  const bytes = size > largestManifest ? undefined : await tree.readBlob(digest);
  if (bytes === undefined || digestOf(bytes, algorithmOf(digest)) !== digest) return "no manifest";
  return (await inspectManifest(bytes)).isManifest ? bytes : "no manifest";
};
