import { compare, openRepository, viewOf } from "dray";

/** In what two images differ but for how their layers are compressed, as lines. */
export const differences = async (one: string, other: string): Promise<string[]> => {
  const a = await openRepository(one);
  const b = await openRepository(other);
  const [before, after] = await Promise.all(
    [a, b].map(async ({ store, name }) => viewOf(store, await store.resolve(name))),
  );
  if (before === undefined || after === undefined) return [];
  const found = await compare(before, after, { compressed: false });
  return found.map(({ path, a: was, b: is }) => `${path}: ${JSON.stringify(was)} is ${JSON.stringify(is)}`);
};
