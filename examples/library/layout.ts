import { copy, layoutStore, open } from "dray";

/** Keeps a tag in a layout under a name, and takes another name away. */
export const keep = async (location: string, directory: string, name: string, old: string): Promise<string[]> => {
  const source = await open(location);
  const layout = layoutStore(directory);
  await copy(source, { store: layout, name, location: directory });
  await layout.remove(old);
  await layout.close();
  return Array.fromAsync(layout.tags());
};
