import { childrenOf, type Digest, parseManifest } from "dray/oci";
import type { HttpClient } from "./http.ts";
import { expect, pullManifest } from "./push.ts";

/** All that tags lead to, with what refers to it: digests with their sizes. What is named and not there has none. */
export const liveContent = async (
  http: HttpClient,
  repositories: readonly string[],
): Promise<ReadonlyMap<Digest, number>> => {
  const live = new Map<Digest, number>();
  for (const repository of repositories) {
    const seen = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      if (seen.has(name)) return;
      seen.add(name);
      const manifest = await pullManifest(http, repository, name);
      if (manifest === undefined) return;
      seen.add(manifest.digest);
      live.set(manifest.digest, manifest.bytes.byteLength);
      for (const child of childrenOf(parseManifest(manifest.bytes, manifest.mediaType)))
        if (/manifest|index/.test(child.mediaType)) await visit(child.digest);
        else live.set(child.digest, child.size);
      for (const referrer of await referrersOf(http, repository, manifest.digest)) await visit(referrer);
    };
    for (const tag of await tagsOf(http, repository)) await visit(tag);
  }
  return live;
};

/** Every page of them. */
export const tagsOf = async (http: HttpClient, repository: string): Promise<string[]> => {
  const tags: string[] = [];
  for (let path: string | undefined = `/v2/${repository}/tags/list?n=1000`; path !== undefined; ) {
    const { status, bytes, headers } = await expect(http, "GET", path, [200, 404]);
    if (status === 404) return tags;
    tags.push(...(JSON.parse(bytes.toString()) as { tags: string[] }).tags);
    path = /<([^>]+)>; *rel="?next/.exec([headers.link].flat().join())?.[1];
  }
  return tags;
};

export const referrersOf = async (http: HttpClient, repository: string, digest: Digest): Promise<Digest[]> => {
  const { bytes } = await expect(http, "GET", `/v2/${repository}/referrers/${digest}`, [200]);
  return (JSON.parse(bytes.toString()) as { manifests: { digest: Digest }[] }).manifests.map((each) => each.digest);
};
