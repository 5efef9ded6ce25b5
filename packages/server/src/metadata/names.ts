import { sortedInTurns, type Yielding } from "dray/internal/async";
import { isDigest, isTag } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata } from "./metadata.ts";
import { pages } from "./pages.ts";

/** Names in a page of the metadata. */
const pageSize = 256;

interface Sources {
  readonly tree: Tree;
  readonly metadata: Metadata;
}

/** Tags that the tree or the metadata have, in byte order, without keeping anybody waiting while a hundred thousand are sorted. */
export const tagNames = async (
  { tree, metadata }: Sources,
  repository: string,
  yielding: Yielding,
): Promise<Iterable<string>> => {
  const recorded = pages(pageSize, (page) => metadata.tags(repository, page).map(({ name }) => name));
  return merged(await sortedInTurns(await tree.tagFolders(repository), yielding, isTag), recorded);
};

/** Digests of manifests that the tree or the metadata have, in byte order. */
export const revisionNames = async (
  { tree, metadata }: Sources,
  repository: string,
  yielding: Yielding,
): Promise<Iterable<string>> => {
  const digests: string[] = [];
  for (const algorithm of ["sha256", "sha512"] as const) {
    const names = await tree.revisionFolders(repository, algorithm);
    const isHex = (hex: string): boolean => isDigest(`${algorithm}:${hex}`);
    for (const hex of await sortedInTurns(names, yielding, isHex)) digests.push(`${algorithm}:${hex}`);
  }
  return merged(
    digests,
    pages(pageSize, (page) => metadata.digests(repository, page)),
  );
};

/** Names of two sorted lists, each once, in order: one in memory, one that is read page by page while the caller works. */
export function* merged(sorted: readonly string[], pages: Iterable<readonly string[]>): Generator<string> {
  let at = 0;
  for (const names of pages)
    for (const name of names) {
      for (let next = sorted[at]; next !== undefined && next < name; next = sorted[++at]) yield next;
      if (sorted[at] === name) at++;
      yield name;
    }
  for (; at < sorted.length; at++) yield sorted[at] as string;
}
