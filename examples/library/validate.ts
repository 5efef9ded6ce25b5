import { openRepository, validate } from "dray";

/** What is wrong with whatever a tag stands for, all of it: digests, sizes, diffIDs, platforms, down to each layer. */
export const faults = async (location: string): Promise<string[]> => {
  const opened = await openRepository(location);
  const { findings } = await validate(opened.store, await opened.store.resolve(opened.name));
  return findings.map(({ descriptor, message }) => `${descriptor.digest}: ${message}`);
};
