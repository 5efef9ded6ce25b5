import { ingests, loadManifest, type OnEvent } from "dray/content";
import { type CopyPair } from "dray/copy";
import { compressLayers, hasUncompressedLayers } from "dray/image";

/** Pairs that are ready to be copied, and what was moved to make them so. */
export interface ReadyPairs {
  readonly pairs: readonly CopyPair[];
  /** Layers that are in the target now. */
  readonly moved: number;
  /** Their bytes, compressed. */
  readonly bytes: number;
}

interface Hearing {
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/**
 * An archive that docker saved has no manifest, and its layers are mostly uncompressed: on the way to a registry they are
 * compressed, as `docker push` does. Everything else has digests that somebody may know, and stays as it is.
 */
export const compressed = async (pairs: readonly CopyPair[], hearing: Hearing): Promise<ReadyPairs> => {
  const ready = [];
  for (const pair of pairs) ready.push(await compressedPair(pair, hearing));
  return {
    pairs: ready.map(({ pair }) => pair),
    moved: ready.reduce((sum, { sizes }) => sum + sizes.length, 0),
    bytes: ready.flatMap(({ sizes }) => sizes).reduce((sum, size) => sum + size, 0),
  };
};

const compressedPair = async (
  pair: CopyPair,
  { signal, onEvent }: Hearing,
): Promise<{ pair: CopyPair; sizes: number[] }> => {
  const { source, target } = pair;
  const unchanged = { pair, sizes: [] };
  if (!source.location.startsWith("docker-archive:") || !ingests(target.store)) return unchanged;
  const root = await source.store.resolve(source.name, { signal });
  if (!(await hasUncompressedLayers(source.store, root, signal))) return unchanged;
  const made = await compressLayers(source.store, target.store, root, { signal, onEvent });
  const [before, after] = [await layersOf(source.store, root), await layersOf(made.store, made.root)];
  return {
    pair: { source: { ...source, store: made.store, name: made.root.digest }, target },
    sizes: [...after].flatMap(([digest, size]) => (before.has(digest) ? [] : [size])),
  };
};

const layersOf = async (...[store, root]: Parameters<typeof loadManifest>): Promise<Map<string, number>> => {
  const { parsed } = await loadManifest(store, root);
  const layers = parsed.kind === "manifest" ? parsed.manifest.layers : [];
  return new Map(layers.map(({ digest, size }) => [digest, size]));
};
