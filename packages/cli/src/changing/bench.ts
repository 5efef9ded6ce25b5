import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Content,
  type Ingests,
  ingests,
  type Located,
  type ReadableStore,
  type WritableStore,
} from "dray/content";
import { DrayError } from "dray/errors";
import { layoutStore } from "dray/layout";
import { digester } from "dray/oci";
import type { Call } from "../context.ts";
import type { ChangingOptions } from "./change-image.ts";

/** Where new layers come to lie: in the target where that takes them. */
export type Bench = ReadableStore & Ingests;

/**
 * The place for new layers of what goes to a target: that itself, where it takes content before its digest is known. An archive has to know all sizes before
 * its first byte, so its layers lie in a folder first, which goes when the command ends. A dry run keeps none.
 */
export const benchFor = async (call: Call<ChangingOptions>, { store }: Located<WritableStore>): Promise<Bench> => {
  if (call.options.dryRun === true) return nowhere();
  return takesLayers(store) ? store : folderBench(call);
};

const takesLayers = (store: WritableStore): store is WritableStore & Bench =>
  ingests(store) && (store as Partial<ReadableStore>).read !== undefined;

const folderBench = async (call: Call<ChangingOptions>): Promise<Bench> => {
  const dir = await mkdtemp(join(tmpdir(), "dray-layers-"));
  const store = layoutStore(dir);
  call.defer(async () => {
    await store.close({ abort: true });
    await rm(dir, { recursive: true, force: true });
  });
  return store;
};

/** Says what content would be, and keeps none of it. */
const nowhere = (): Bench => ({
  resolve: async (name) => Promise.reject(new DrayError("NOT_FOUND", `there is no ${name}`)),
  read: () => {
    throw new DrayError("NOT_FOUND", "a dry run keeps no content");
  },
  ingest: async (content: Content, { mediaType, algorithm = "sha256", signal }) => {
    const hash = digester(algorithm);
    let size = 0;
    for await (const chunk of content.open({ signal })) {
      hash.update(chunk);
      size += chunk.byteLength;
    }
    return { mediaType, digest: hash.digest(), size };
  },
});
