import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Content,
  type Ingests,
  ingests,
  type LiesOver,
  type Located,
  type ReadableStore,
  type WritableStore,
} from "dray/content";
import { DrayError } from "dray/errors";
import { Semaphore } from "dray/internal/async";
import { layoutStore } from "dray/layout";
import { type Descriptor, digester } from "dray/oci";
import type { Call } from "../context.ts";

/** Where new layers come to lie: in the target where that takes them. */
export type Bench = ReadableStore & Ingests;

/**
 * The place for new layers of what goes to a target: that itself, where it takes content before its digest is known. An archive has to know all sizes before
 * its first byte, so its layers lie in a folder first, which goes when the command ends. A dry run keeps none.
 * @param tell hears of each layer that went into the target itself: whoever moves the image there later finds it, and does not count it
 */
export const benchFor = async (
  call: Pick<Call, "defer" | "signal"> & { readonly options: { readonly dryRun?: boolean; readonly jobs?: number } },
  { store }: Located<WritableStore>,
  tell: (layer: Descriptor) => void,
): Promise<Bench> => {
  if (call.options.dryRun === true) return nowhere();
  return takesLayers(store) ? telling(store, tell, call) : folderBench(call);
};

/** The same store, to whom a layer is moved by it as well; as many at a time as bodies may be, where somebody said how many. */
const telling = (
  base: Bench,
  tell: (layer: Descriptor) => void,
  { options: { jobs = Number.POSITIVE_INFINITY }, signal }: Parameters<typeof benchFor>[0],
): Bench & LiesOver => {
  const slots = new Semaphore(jobs);
  return {
    base,
    resolve: (name, options) => base.resolve(name, options),
    read: (descriptor, options) => base.read(descriptor, options),
    ingest: async (content, options) => {
      const layer = await slots.run(options.signal ?? signal, () => base.ingest(content, options));
      tell(layer);
      return layer;
    },
  };
};

const takesLayers = (store: WritableStore): store is WritableStore & Bench =>
  ingests(store) && (store as Partial<ReadableStore>).read !== undefined;

const folderBench = async (call: Pick<Call, "defer">): Promise<Bench> => {
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
