import { type Descriptor, isDrayError, type Registry } from "dray";

/** Removes a tag's old releases, all but the last so many, unless something refers to them. */
export const tidy = async (registry: Registry, name: string, keep: number): Promise<string[]> => {
  const repository = registry.repository(name);
  const tags = await Array.fromAsync(repository.tags());
  const removed: string[] = [];
  for (const tag of tags.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(0, -keep)) {
    const digest = await repository.digest(tag); // one HEAD
    const { descriptor } = await repository.manifest(digest);
    const [referrer]: Descriptor[] = await Array.fromAsync(repository.referrers(descriptor));
    if (referrer !== undefined) continue;
    try {
      await repository.remove(tag);
      removed.push(tag);
    } catch (error) {
      if (!isDrayError(error, "NOT_FOUND")) throw error; // somebody else was faster
    }
  }
  return removed;
};
