/** One small image with large blobs beside it, the same for each server, in a folder that is gone afterwards. */
import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { home } from "../../input.ts";
import type { LargeBlob } from "../inputs.ts";
import type { ServerName } from "../servers.ts";
import { DistributionTree } from "./distribution.ts";
import { config, type Descriptor, described, imageManifest, mediaTypes } from "./documents.ts";
import { ZotTree } from "./zot.ts";

export const repository = "bench/image";
export const tag = "latest";

const layers: readonly string[] = Array.from({ length: 8 }, (_, i) => `layer ${i} of a small image`);
const manifest: string = imageManifest(layers.map((layer) => described(mediaTypes.layer, layer)));
export const manifestDigest: string = described(mediaTypes.manifest, manifest).digest;

/** Fills the folder of one server. */
export const fillImage = (name: ServerName, data: string, large: readonly LargeBlob[] = []): void => {
  if (name === "zot") return fillZot(data, large);
  const tree = new DistributionTree(data);
  for (const bytes of [config, ...layers]) tree.layer(repository, tree.blob(bytes));
  for (const { file, digest } of large) {
    tree.blobFile(file, digest);
    tree.layer(repository, digest);
  }
  tree.revision(repository, tree.blob(manifest));
  tree.tag(repository, tag, manifestDigest);
};

const fillZot = (data: string, large: readonly LargeBlob[]): void => {
  const tree = new ZotTree(data);
  for (const bytes of [config, ...layers, manifest]) tree.blob(repository, bytes);
  for (const { file, digest } of large) tree.blobFile(repository, file, digest);
  // zot looks for a blob's type in the manifests, so the large ones have one too.
  const entries: (Descriptor & { tag?: string })[] = [{ ...described(mediaTypes.manifest, manifest), tag }];
  if (large.length > 0) {
    const whole = imageManifest(large.map(({ digest, size }) => ({ mediaType: mediaTypes.layer, digest, size })));
    tree.blob(repository, whole);
    entries.push({ ...described(mediaTypes.manifest, whole), tag: "large" });
  }
  tree.index(repository, entries);
};

const folders = new Set<string>();
process.on("exit", () => {
  // A server that is being killed may still write.
  for (const dir of folders) rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

/** A folder beside the inputs, on their file system, so that blobs can be linked; gone when the work is done. */
export const withFolder = async <T>(work: (dir: string) => Promise<T>): Promise<T> => {
  mkdirSync(home, { recursive: true });
  const dir = await mkdtemp(join(home, "run-"));
  folders.add(dir);
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
    folders.delete(dir);
  }
};
