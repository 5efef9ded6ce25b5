import { exchange, type MemoryRegistry, memoryRegistry } from "@dray/testkit";
import type { Handler } from "dray/http";
import { type Digest, encodeJson, mediaTypes } from "dray/oci";
import { eventTables } from "../src/events/index.ts";
import { openFile, type WatchFile } from "../src/file/index.ts";
import { ledgerTables } from "../src/ledger/index.ts";
import { stateTables } from "../src/state/index.ts";
import { type Clients, clients } from "./clients.ts";

/** A file of a watch with all its tables. */
export const watchFile = (path = ":memory:"): Promise<WatchFile> =>
  openFile(path, { rooms: [stateTables, eventTables, ledgerTables] });

/** An image that is told apart by a text, and nothing more; its configuration is in the registry. */
export const putImage = (registry: MemoryRegistry, repository: string, tag: string, text: string): Digest => {
  const bytes = encodeJson({
    os: "linux",
    architecture: "amd64",
    created: "2026-01-02T03:04:05Z",
    config: { Labels: { text } },
  });
  const digest = registry.addBlob(repository, bytes);
  const config = { mediaType: mediaTypes.ociConfig, digest, size: bytes.byteLength };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
  return registry.addManifest(repository, { mediaType: mediaTypes.ociManifest, bytes: encodeJson(manifest) }, tag);
};

/** Takes a tag away, as a user would. */
export const removeTag = async (registry: MemoryRegistry, repository: string, tag: string): Promise<void> => {
  const { status } = await exchange(registry.handler, "DELETE", `/v2/${repository}/manifests/${tag}`);
  if (status !== 202) throw new Error(`the registry answers ${status}`);
};

/** A registry in memory with clients, perhaps behind something. */
export const watched = (
  around: (handler: Handler) => Handler = (handler) => handler,
  options: Parameters<typeof clients>[0] = {},
): Clients => {
  const registry = memoryRegistry({ sparse: true });
  return clients(options, registry, around(registry.handler));
};
