import { sortedInTurns, Yielding } from "dray/internal/async";
import { isRepository } from "dray/oci";
import { repositoriesRoot, repositoryPath } from "./paths.ts";

/** A folder below `repositories/`, and what a repository has in it. */
export interface RepositoryFolder {
  readonly repository: string;
  /** Whether it has manifests, or had some; without, it is no repository: its first push has not come that far. */
  readonly manifests: boolean;
  readonly layers: boolean;
  readonly uploads: boolean;
  /** `false`: no repository can have this name, so it was not ours that put it there. */
  readonly valid: boolean;
}

export interface WalkOptions {
  /** Only what comes behind this name, in byte order. */
  readonly after?: string;
  /** `true`: also folders whose names no repository can have. Default `false`. */
  readonly invalid?: boolean;
  /** `true`: a link that leads nowhere, or to a folder with nothing in it, is a folder that cannot be listed, and not one that is not there. Default `false`. */
  readonly strict?: boolean;
  /** Hears of folders that cannot be listed, which are passed over then. Without it the walk ends there. */
  readonly onBroken?: ((path: string, error: unknown) => void) | undefined;
}

/** Names longer than this lead in circles. */
const longest = 1000;

/** Every folder below `repositories/`, in byte order of the whole name. Each directory is listed once, when its turn comes. */
export async function* walk(
  listed: (path: string) => Promise<readonly string[] | undefined>,
  { after = "", invalid = false, onBroken }: WalkOptions = {},
): AsyncGenerator<RepositoryFolder> {
  const list = (path: string): Promise<readonly string[] | undefined> =>
    onBroken === undefined
      ? listed(path)
      : listed(path).catch((error: unknown) => {
          onBroken(path, error);
          return [];
        });
  const yielding = new Yielding();
  /** Names, and names that end in a slash for what lies below them; the last is the next one. */
  const steps: string[] = [];
  /** What a folder has in it, kept from its own turn until what lies below it has its turn. */
  const insides = new Map<string, readonly string[]>();
  const descend = async (name: string, inside: readonly string[]): Promise<void> => {
    const below: string[] = [];
    for (const entry of inside) {
      await yielding.turn();
      const child = name === "" ? entry : `${name}/${entry}`;
      if (entry.startsWith("_") || child.length > longest || !(invalid || isRepository(child))) continue;
      // `a-b` comes between `a` and `a/b`: what lies below a name sorts as if the name ended in a slash.
      below.push(child, `${child}/`);
    }
    const keys = await sortedInTurns(below, yielding);
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) steps.push(key);
  };
  await descend("", (await list(repositoriesRoot)) ?? []);
  for (let key = steps.pop(); key !== undefined; key = steps.pop()) {
    const isBelow = key.endsWith("/");
    if (key <= after && !(isBelow && after.startsWith(key))) continue;
    const name = isBelow ? key.slice(0, -1) : key;
    const inside = insides.get(name) ?? (await list(repositoryPath(name))) ?? [];
    if (isBelow) {
      insides.delete(name);
      await descend(name, inside);
    } else {
      insides.set(name, inside);
      yield {
        repository: name,
        manifests: inside.includes("_manifests"),
        layers: inside.includes("_layers"),
        uploads: inside.includes("_uploads"),
        valid: isRepository(name),
      };
    }
  }
}
