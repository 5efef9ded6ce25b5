/** An image made of random bytes in memory, by what the library exports: its one layer is large enough to be left to a thread. */
import { randomFillSync } from "node:crypto";
import { bytesContent, digestOf, mediaTypes, memoryStore } from "dray";

export const layerSize = 24 * 1024 * 1024;

export const randomImage = async () => {
  const layer = new Uint8Array(layerSize);
  for (let at = 0; at < layer.length; at += 65_536) randomFillSync(layer, at, 65_536);
  const json = (value) => new TextEncoder().encode(JSON.stringify(value));
  const config = json({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const descriptor = (mediaType, bytes) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const store = memoryStore();
  for (const bytes of [layer, config])
    await store.ingest(bytesContent(bytes), { mediaType: "application/octet-stream" });
  const root = descriptor(mediaTypes.ociManifest, manifest);
  await store.write(root, bytesContent(manifest));
  return { store, root };
};
