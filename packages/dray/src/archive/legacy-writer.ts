import { decompressed } from "../compression/index.ts";
import { appendFile, type FileSystem, ifThere, onDisk } from "../files/index.ts";
import { type Descriptor, hexOf } from "../oci/index.ts";
import { padding, wholeEntry, writeHeader } from "../tar/index.ts";
import { type ArchiveWriter, endingOf, type OpenTarOptions, type Outlet, outletOf, TarPart } from "../tarball/index.ts";
import { foreignLayers, isLeftOut, loadConfig } from "./compose.ts";
import { goJson } from "./go-json.ts";
import { legacyLayers } from "./legacy-config.ts";
import { formatSavedImages, manifestFile, type SavedImage } from "./manifest-json.ts";
import { legacyTag } from "./repo-tags.ts";
import { type WrittenImage, WrittenImages } from "./written-images.ts";

/**
 * Writes the old form. Its layers are uncompressed, so nobody knows their places before all content is there: that comes into a
 * `FILE.dray-part` as ever, from where a later attempt goes on, and the archive is made of it at the end.
 */
export const legacyWriter = async (file: string, options: OpenTarOptions): Promise<ArchiveWriter> => {
  const { fs, signal } = options;
  const outlet = await outletOf(file, options);
  const part = outlet === undefined ? await TarPart.open(fs, file, signal) : await TarPart.openUnnamed(fs);
  const catalogue = new WrittenImages();
  return {
    sink: part,
    catalogue,
    finish: async () => {
      if (outlet !== undefined) await writeLegacy(outlet, catalogue.all(), part);
      else await replaceFile(fs, part.target, (end) => writeLegacy(end, catalogue.all(), part));
      await part.discard();
    },
    abandon: async () => {
      if (outlet === undefined) return part.abandon();
      await part.discard();
      await outlet.end();
    },
  };
};

const replaceFile = async (fs: FileSystem, target: string, write: (outlet: Outlet) => Promise<void>): Promise<void> => {
  const path = `${target}.dray-part.legacy`;
  // What lies there is of an attempt that was killed, or somebody else's.
  await onDisk("write", path, () => ifThere(() => fs.unlink(path)));
  const file = await onDisk("write", path, () => fs.open(path, "wx", 0o666));
  try {
    const growing = await appendFile(file, path, { there: 0 });
    try {
      await write({ put: (bytes) => growing.append(bytes), end: async () => void (await growing.flush()) });
    } catch (error) {
      await growing.close().catch(() => {});
      throw error;
    }
    await growing.close();
    await onDisk("write", target, () => fs.rename(path, target));
  } catch (error) {
    await fs.unlink(path).catch(() => {});
    throw error;
  }
};

const writeLegacy = async (outlet: Outlet, images: readonly WrittenImage[], part: TarPart): Promise<void> => {
  const saved: SavedImage[] = [];
  const repositories = new Map<string, Map<string, string>>();
  const written = new Set<string>();
  const once = async (name: string, write: () => Promise<void>): Promise<void> => {
    if (written.has(name)) return;
    written.add(name);
    await write();
  };
  const file = (name: string, bytes: Uint8Array): Promise<void> => outlet.put(wholeEntry({ name }, bytes));
  for (const { manifest, name } of [...images].sort(byConfig)) {
    const config = await loadConfig(part, manifest.config);
    const configFile = `${hexOf(manifest.config.digest)}.json`;
    await once(configFile, () => file(configFile, config));
    const layers = legacyLayers(manifest, config);
    const layerSources = await foreignLayers(manifest, part);
    for (const { id, layer, json } of layers)
      await once(id, async () => {
        if (!(await isLeftOut(layer, layerSources, part))) await writeLayer(outlet, `${id}/layer.tar`, layer, part);
        await file(`${id}/json`, json);
        await file(`${id}/VERSION`, Buffer.from("1.0"));
      });
    const tag = legacyTag(name);
    const top = layers.at(-1)?.id;
    if (tag !== undefined && top !== undefined) {
      const tags = repositories.get(tag.repository) ?? new Map<string, string>();
      repositories.set(tag.repository, tags.set(tag.tag, top));
    }
    saved.push({
      config: configFile,
      repoTags: tag === undefined ? null : [name],
      layers: layers.map(({ id }) => `${id}/layer.tar`),
      layerSources,
    });
  }
  const last = [
    { name: manifestFile, bytes: formatSavedImages(saved) },
    { name: "repositories", bytes: Buffer.from(goJson(repositories)) },
  ];
  await outlet.put(endingOf([], last));
  await outlet.end();
};

const byConfig = (one: WrittenImage, other: WrittenImage): number => {
  const [a, b] = [one, other].map(({ manifest, name }) => `${manifest.config.digest} ${name}`) as [string, string];
  return a < b ? -1 : a > b ? 1 : 0;
};

/** Decompressed twice, since its size stands before it. */
const writeLayer = async (outlet: Outlet, name: string, layer: Descriptor, part: TarPart): Promise<void> => {
  let size = 0;
  for await (const chunk of decompressed(part.read(layer))) size += chunk.byteLength;
  await outlet.put(writeHeader({ name, size }));
  for await (const chunk of decompressed(part.read(layer))) await outlet.put(chunk);
  await outlet.put(padding(size));
};
