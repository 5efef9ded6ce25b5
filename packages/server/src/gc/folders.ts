import { isRepository } from "dray/oci";
import { repositoriesRoot, repositoryPath, type Tree } from "../distribution-tree/index.ts";

/** A folder that something was pushed to. */
export interface Folder {
  readonly repository: string;
  /** Whether it has manifests, or had some; without, its first push has not come that far. */
  readonly manifests: boolean;
  readonly layers: boolean;
  /** `false`: no repository can have this name, so it was not ours that put it there. */
  readonly valid: boolean;
}

/** Names longer than this lead in circles. */
const longest = 1000;

/**
 * Every folder below `repositories/` that holds anything of a repository, also those that are none yet: their links count. Each
 * directory is listed once.
 */
export async function* folders(tree: Tree): AsyncGenerator<Folder> {
  const waiting: string[] = [""];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const inside = (await tree.driver.list(name === "" ? repositoriesRoot : repositoryPath(name))) ?? [];
    const below = inside.filter((entry) => !entry.startsWith("_")).map((entry) => (name ? `${name}/${entry}` : entry));
    // The last one is looked at first.
    waiting.push(
      ...below
        .filter(({ length }) => length <= longest)
        .sort()
        .reverse(),
    );
    const manifests = inside.includes("_manifests");
    const layers = inside.includes("_layers");
    if (name !== "" && (manifests || layers)) yield { repository: name, manifests, layers, valid: isRepository(name) };
  }
}
