import { copyAll, type Registry } from "dray";
import { newsBetween, walkRepositories } from "dray/repositories";

/** Every repository below a path to another registry, what is new of it; what fails keeps nothing else from arriving. */
export const mirror = async (from: Registry, path: string, to: Registry): Promise<Record<string, string>> => {
  const told: Record<string, string> = {};
  for await (const found of walkRepositories(from, path)) {
    if (found.error !== undefined) {
      told[`${to.name}/${found.path}`] = found.error.message;
      continue;
    }
    const news = await newsBetween(found.repository, found.contents, to.repository(found.path));
    const { outcomes } = await copyAll(news);
    for (const { pair, error, root } of outcomes) told[pair.target.location] = error?.message ?? root?.digest ?? "";
  }
  return told;
};
