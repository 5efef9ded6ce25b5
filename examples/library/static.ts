import { openRepository, packManifest } from "dray";

/** Bytes as they are, under a tag: a policy, a chart, a file of configuration. */
export const publish = async (location: string, artifactType: string, bytes: Uint8Array): Promise<string> => {
  const target = await openRepository(location);
  const layer = await target.store.put(bytes, { mediaType: artifactType });
  const { digest } = await target.store.putManifest(packManifest({ artifactType, layers: [layer] }), {
    tags: [target.name],
  });
  return digest;
};
