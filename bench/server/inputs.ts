/** What the servers hold before anything is measured: large blobs and large trees, made once. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home, once, randomFile, sha256 } from "../input.ts";
import type { ServerName } from "./servers.ts";
import { DistributionTree } from "./trees/distribution.ts";
import { config, described, type Entry, imageManifest, mediaTypes, referrer } from "./trees/documents.ts";
import { ZotTree } from "./trees/zot.ts";

const MiB = 1024 * 1024;

export interface LargeBlob {
  readonly file: string;
  readonly digest: string;
  readonly size: number;
}

/** A file that cannot be compressed. */
export const largeBlob = async (megabytes: number): Promise<LargeBlob> => {
  const file = join(home, `server-blob-${megabytes}M`);
  await once(file, (part) => randomFile(part, megabytes * MiB));
  const name = `${file}.sha256`;
  if (!existsSync(name)) writeFileSync(name, await sha256(file));
  return { file, digest: `sha256:${readFileSync(name, "utf8")}`, size: statSync(file).size };
};

export const counts = { tags: 100_000, repositories: 10_000, referrers: 10_000, manifests: 100_000 } as const;

export const tagsRepository = "lists/tags";
export const referrersRepository = "lists/referrers";

const subject: string = imageManifest([], "the subject");
export const subjectDigest: string = described(mediaTypes.manifest, subject).digest;

const nameOfTag = (i: number): string => `v${Math.floor(i / 1000)}.${i % 1000}.0-build${i}`;
const nameOfRepository = (i: number): string => `team-${i % 100}/service-${i}`;

/** 100,000 tags of one manifest, 10,000 referrers of another, and 10,000 repositories with both of those. */
export const listsTree = async (name: ServerName): Promise<string> =>
  name === "zot"
    ? treeOf("server-lists-zot", zotLists)
    : treeOf("server-lists", (data) => {
        const tree = new DistributionTree(data);
        const empty = tree.blob("{}");
        const digest = tree.blob(subject);
        const configDigest = tree.blob(config);
        const repository = (name: string): void => {
          tree.layer(name, configDigest);
          tree.revision(name, digest);
          tree.tag(name, "latest", digest);
        };
        for (let i = 0; i < counts.repositories - 2; i++) repository(nameOfRepository(i));
        repository(referrersRepository);
        tree.layer(referrersRepository, empty);
        for (let i = 0; i < counts.referrers; i++)
          tree.revision(
            referrersRepository,
            tree.blob(referrer(described(mediaTypes.manifest, subject), `number ${i}`)),
          );
        tree.layer(tagsRepository, configDigest);
        tree.revision(tagsRepository, digest);
        for (let i = 0; i < counts.tags; i++) tree.tag(tagsRepository, nameOfTag(i), digest, false);
      });

const zotLists = (data: string): void => {
  const tree = new ZotTree(data);
  const entry = described(mediaTypes.manifest, subject);
  const repository = (name: string, entries: readonly Entry[]): void => {
    for (const bytes of [config, subject]) tree.blob(name, bytes);
    tree.index(name, entries);
  };
  for (let i = 0; i < counts.repositories - 2; i++) repository(nameOfRepository(i), [{ ...entry, tag: "latest" }]);
  tree.blob(referrersRepository, "{}");
  repository(referrersRepository, [
    { ...entry, tag: "latest" },
    ...Array.from({ length: counts.referrers }, (_, i) => {
      const bytes = referrer(entry, `number ${i}`);
      tree.blob(referrersRepository, bytes);
      return described(mediaTypes.manifest, bytes);
    }),
  ]);
  repository(
    tagsRepository,
    Array.from({ length: counts.tags }, (_, i) => ({ ...entry, tag: nameOfTag(i) })),
  );
};

/** 100,000 manifests, each with a tag, 100 in a repository. */
export const manifestsTree = async (name: ServerName): Promise<string> =>
  name === "zot"
    ? treeOf("server-manifests-zot", (data) => {
        const tree = new ZotTree(data);
        everyManifest(counts.manifests, (repository, manifests) => {
          for (const bytes of [config, layer, ...manifests]) tree.blob(repository, bytes);
          tree.index(
            repository,
            manifests.map((bytes, i) => ({ ...described(mediaTypes.manifest, bytes), tag: nameOfTag(i) })),
          );
        });
      })
    : treeOf("server-manifests", (data) => writeManifests(data, counts.manifests));

/** Any number of them, into a tree that will be changed. */
export const writeManifests = (data: string, count: number): void => {
  const tree = new DistributionTree(data);
  const shared = [tree.blob(config), tree.blob(layer)];
  everyManifest(count, (repository, manifests) => {
    for (const digest of shared) tree.layer(repository, digest);
    for (const [i, bytes] of manifests.entries()) {
      const digest = tree.blob(bytes);
      tree.revision(repository, digest);
      tree.tag(repository, nameOfTag(i), digest);
    }
  });
};

const layer = "the layer of 100,000 images";
export const someManifest: { readonly repository: string; readonly tag: string } = {
  repository: nameOfRepository(50),
  tag: nameOfTag(50),
};

const everyManifest = (count: number, put: (repository: string, manifests: readonly string[]) => void): void => {
  for (let i = 0; i < count / 100; i++)
    put(
      nameOfRepository(i),
      Array.from({ length: 100 }, (_, j) => imageManifest([described(mediaTypes.layer, layer)], `${i}.${j}`)),
    );
};

const treeOf = async (name: string, write: (data: string) => void): Promise<string> => {
  const data = join(home, name);
  await once(data, async (part) => {
    mkdirSync(part, { recursive: true });
    write(part);
  });
  // What Dray made of it the last time is not part of the input.
  rmSync(join(data, "dray"), { recursive: true, force: true });
  return data;
};
