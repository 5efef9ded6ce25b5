import {
  algorithmOf,
  type Digest,
  digestOf,
  isIndexType,
  isManifestType,
  isSchema1Type,
  isTag,
  largestManifest,
} from "dray/oci";
import { currentLink, inspectManifest, type RepositoryFolder, readLegacyManifest } from "../distribution-tree/index.ts";
import { sameVersion } from "../storage/index.ts";
import { DigestSet } from "./digest-set.ts";
import type { Held, Run } from "./run.ts";

/** What a repository keeps beside what its known manifests need. */
export interface Roots {
  /** Manifests that have no link among the revisions, and all that they refer to. */
  readonly kept: DigestSet;
  /** Why nothing may go from the repository: something is named that nobody can read. */
  held: Held | undefined;
}

/**
 * What the tags of a repository name is a root wherever its link lies: where registry 2.1.0 put it, or nowhere any more. What is a root
 * and nobody can read might need anything.
 */
export const rootsOf = async (run: Run, { repository, manifests, layers }: RepositoryFolder): Promise<Roots> => {
  const roots: Roots = { kept: new DigestSet(), held: undefined };
  if (manifests) await keepTagged(run, repository, roots);
  if (layers) await keepLegacy(run, repository, roots);
  return roots;
};

const keepTagged = async (run: Run, repository: string, roots: Roots): Promise<void> => {
  const { tree, metadata, yielding } = run;
  for (const name of await tree.tagFolders(repository)) {
    await yielding.turn();
    if (!isTag(name)) continue;
    const version = await tree.tagVersion(repository, name);
    if (version === undefined) {
      await tree.refuseBrokenLink(currentLink(repository, name));
      continue;
    }
    const known = metadata.tag(repository, name);
    const digest =
      known !== undefined && sameVersion(known.version, version)
        ? known.digest
        : (await tree.tag(repository, name))?.digest;
    if (digest === undefined) {
      // Deleted meanwhile, or torn.
      if ((await tree.tagVersion(repository, name)) !== undefined)
        roots.held ??= { reason: `the tag ${name} names no digest`, remedy: `push ${name} again, or delete the tag` };
    } else if (metadata.manifest(repository, digest) === undefined)
      await keepNamed(run, repository, name, digest, roots);
  }
};

const keepNamed = async (run: Run, repository: string, tag: string, digest: Digest, roots: Roots): Promise<void> => {
  const target = (await run.tree.layer(repository, digest)) ?? digest;
  keep(run, roots, digest, target);
  const bytes = await bytesOf(run, target);
  const fault = bytes instanceof Uint8Array ? await keepWhole(run, repository, roots, bytes) : `is ${bytes}`;
  if (fault !== undefined)
    roots.held ??= {
      reason: `the tag ${tag} names ${digest}, which ${fault}`,
      digest,
      remedy: `push ${tag} again, or delete the tag`,
    };
};

/** Links among those of layers that stand for manifests: whether a tag names them or not, they may be pulled by their digests. */
const keepLegacy = async (run: Run, repository: string, roots: Roots): Promise<void> => {
  for await (const digest of run.tree.layers(repository)) {
    await run.yielding.turn();
    if (roots.kept.has(digest) || run.metadata.refersTo(repository, digest)) continue;
    const legacy = await readLegacyManifest(run.tree, repository, digest, largestManifest);
    if (legacy === undefined) continue;
    keep(run, roots, digest, await run.tree.layer(repository, digest));
    const fault = await keepWhole(run, repository, roots, legacy.bytes);
    if (fault !== undefined)
      roots.held ??= { reason: `unreadable manifest ${digest}`, digest, remedy: `push ${digest} again, or delete it` };
  }
};

/** Keeps what a manifest refers to, and what its manifests do that are no known ones. Tells why its needs are not known. */
const keepWhole = async (
  run: Run,
  repository: string,
  roots: Roots,
  bytes: Uint8Array,
): Promise<string | undefined> => {
  const waiting = [bytes];
  const looked = new Set<Digest>();
  let fault: string | undefined;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { described, children } = await inspectManifest(next);
    const { readable, references } = described;
    for (const digest of references) keep(run, roots, digest, await run.tree.layer(repository, digest));
    if (!readable) fault ??= "cannot be read whole";
    else
      for (const child of children) {
        if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType) && !isSchema1Type(child.mediaType))
          continue;
        if (looked.has(child.digest) || run.metadata.manifest(repository, child.digest) !== undefined) continue;
        looked.add(child.digest);
        // One that is missing is one of a sparse index.
        const inside = await bytesOf(run, child.digest);
        if (inside instanceof Uint8Array) waiting.push(inside);
        else if (inside === "damaged") fault ??= "cannot be read whole";
      }
    await run.yielding.turn();
  }
  return fault;
};

const keep = ({ linked }: Run, { kept }: Roots, digest: Digest, target: Digest | undefined): void => {
  for (const each of [digest, target ?? digest]) {
    kept.add(each);
    linked.add(each);
  }
};

const bytesOf = async ({ tree }: Run, digest: Digest): Promise<Uint8Array | "missing" | "damaged"> => {
  const size = await tree.blobSize(digest);
  if (size === undefined) return "missing";
  const bytes = size > largestManifest ? undefined : await tree.readBlob(digest);
  return bytes !== undefined && digestOf(bytes, algorithmOf(digest)) === digest ? bytes : "damaged";
};
