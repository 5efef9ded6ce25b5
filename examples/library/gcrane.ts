import { copyAll, type Registry } from "dray";

/** Every repository below a name, with all of its tags, to another registry; what fails keeps nothing else from arriving. */
export const mirror = async (from: Registry, prefix: string, to: Registry): Promise<Record<string, string>> => {
  const pairs = [];
  for await (const name of from.catalog()) {
    if (name !== prefix && !name.startsWith(`${prefix}/`)) continue;
    const [source, target] = [from.repository(name), to.repository(name)];
    for await (const tag of source.tags())
      pairs.push({
        source: { store: source, name: tag, location: `${from.name}/${name}:${tag}` },
        target: { store: target, name: tag, location: `${to.name}/${name}:${tag}` },
      });
  }
  const { outcomes } = await copyAll(pairs, { referrers: true });
  return Object.fromEntries(
    outcomes.map(({ pair, error, root }) => [pair.target.location, error?.message ?? root?.digest ?? ""]),
  );
};
