import { copy, openRepository } from "dray";
import { legacyArchive } from "dray/archive";

/** An image in the form from before Docker 1.10: a folder for each layer. */
export const saveLegacy = async (location: string, file: string): Promise<readonly string[]> => {
  const source = await openRepository(location);
  await copy(source, { store: legacyArchive(file), name: location, location: file }, { platforms: ["linux/amd64"] });
  return Array.fromAsync(legacyArchive(file).tags());
};
