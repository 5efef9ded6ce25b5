import { copyAll, dockerArchive, openRepository } from "dray";

/** Several images in one tar that `docker load` takes; layers that they share lie in it once. */
export const save = async (locations: readonly string[], file: string): Promise<readonly string[]> => {
  const archive = dockerArchive(file);
  const opened = await Promise.all(locations.map((location) => openRepository(location)));
  const pairs = opened.map((source) => ({
    source,
    target: { store: archive, name: source.location, location: file },
  }));
  const { outcomes } = await copyAll(pairs, { platforms: ["linux/amd64"] });
  for (const { error } of outcomes) if (error !== undefined) throw error;
  return Array.fromAsync(dockerArchive(file).tags());
};
