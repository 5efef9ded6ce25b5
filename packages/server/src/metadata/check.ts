import { Yielding } from "dray/internal/async";
import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata } from "./metadata.ts";
import { merged, revisionNames, tagNames } from "./names.ts";
import { pages } from "./pages.ts";
import { readRecord } from "./read-record.ts";
import type { Difference, ManifestRecord } from "./records.ts";

export interface CheckOptions {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly alone: <T>(repository: string, work: () => Promise<T>) => Promise<T>;
  readonly signal?: AbortSignal;
}

/** Compares everything that the metadata says with the tree, contents of manifests included, and changes nothing. */
export async function* check({ tree, metadata, alone, signal }: CheckOptions): AsyncGenerator<Difference> {
  const yielding = new Yielding();
  const ofTree: string[] = await Array.fromAsync(tree.repositories());
  await tree.refuseGone();
  const recorded = pages(500, (page) => metadata.repositories(page));
  for (const repository of merged(ofTree, recorded)) {
    const [inTree, inMetadata] = [await tree.isRepository(repository), metadata.hasRepository(repository)];
    if (inTree !== inMetadata)
      yield { repository, kind: "repository", name: repository, what: inTree ? "missing" : "extra" };
    const tags = await tagNames({ tree, metadata }, repository, yielding);
    const manifests = await revisionNames({ tree, metadata }, repository, yielding);
    const differs = {
      tag: async (name: string) =>
        whatDiffers((await tree.tag(repository, name))?.digest, metadata.tag(repository, name)?.digest),
      manifest: async (name: string) => {
        const read = await readRecord(tree, repository, name as Digest, () => {});
        return whatDiffers(textOf(read), textOf(metadata.manifest(repository, name as Digest)));
      },
    };
    for (const [kind, names] of [
      ["tag", tags],
      ["manifest", manifests],
    ] as const)
      for (const name of names) {
        signal?.throwIfAborted();
        const what = await alone(repository, () => differs[kind](name));
        if (what !== undefined) yield { repository, kind, name, what };
        await yielding.turn();
      }
  }
}

const whatDiffers = (inTree: string | undefined, inMetadata: string | undefined): Difference["what"] | undefined => {
  if (inTree === inMetadata) return undefined;
  if (inMetadata === undefined) return "missing";
  return inTree === undefined ? "extra" : "different";
};

/** All but the time: that of a push that was just told is the clock's, that of one that was read is the link's. */
const textOf = (manifest: ManifestRecord | undefined): string | undefined => {
  if (manifest === undefined) return undefined;
  const { digest, mediaType, size, artifactType, subject, annotations, references, readable } = manifest;
  return JSON.stringify({ digest, mediaType, size, artifactType, subject, annotations, references, readable });
};
