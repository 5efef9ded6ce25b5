import type { Yielding } from "dray/internal/async";
import { isDigest, isTag } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata } from "./metadata.ts";
import { pages } from "./pages.ts";

/** How many names are sorted or looked through before others have a turn, if a slice of time is used up. */
const run = 1000;
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
  return merged(await sorted(await tree.tagFolders(repository), isTag, yielding), recorded);
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
    for (const hex of await sorted(names, isHex, yielding)) digests.push(`${algorithm}:${hex}`);
  }
  return merged(
    digests,
    pages(pageSize, (page) => metadata.digests(repository, page)),
  );
};

/** Merges runs, pair by pair, with rests between. */
export const sorted = async (
  names: readonly string[],
  wanted: (name: string) => boolean,
  yielding: Yielding,
): Promise<string[]> => {
  let runs: string[][] = [];
  for (let at = 0; at < names.length; at += run) {
    runs.push(
      names
        .slice(at, at + run)
        .filter(wanted)
        .sort(),
    );
    await yielding.turn();
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(await mergedRuns(runs[i] ?? [], runs[i + 1] ?? [], yielding));
    runs = merged;
  }
  return runs[0] ?? [];
};

const mergedRuns = async (one: readonly string[], other: readonly string[], yielding: Yielding): Promise<string[]> => {
  const all: string[] = [];
  let [a, b] = [0, 0];
  for (let left = one[a], right = other[b]; left !== undefined || right !== undefined; ) {
    if (right === undefined || (left !== undefined && left <= right)) {
      all.push(left as string);
      left = one[++a];
    } else {
      all.push(right);
      right = other[++b];
    }
    if (all.length % run === 0) await yielding.turn();
  }
  return all;
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
