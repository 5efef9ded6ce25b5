import { mapOrdered } from "../async/index.ts";
import type { Cancel } from "../content/index.ts";
import { type DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import type { Contents, Registry, Repository } from "../registry/index.ts";

/** A repository that a walk came by, and what it holds; or why that cannot be told, which ends no walk. */
export type FoundRepository =
  | { readonly path: string; readonly repository: Repository; readonly contents: Contents; readonly error?: undefined }
  | { readonly path: string; readonly error: DrayError };

/** Repositories that are asked at the same time, ahead of who reads. */
const atOnce = 8;

/**
 * A repository and all below it, the upper ones first, with what each holds: one request for each. Where the registry does not tell what is below
 * a repository, as Google's do, its catalog is asked.
 * @param path as `registry.repository` takes it; `""` for all that the registry has
 * @throws DrayError `NOT_FOUND` where there is nothing; `UNSUPPORTED` and what else asking for the catalog throws
 * @example
 * for await (const { path, contents } of walkRepositories(registry, "team")) console.log(path, contents?.tags.length);
 */
export async function* walkRepositories(
  registry: Registry,
  path: string,
  { signal }: Cancel = {},
): AsyncGenerator<FoundRepository> {
  const ask = (name: string): Promise<FoundRepository> => asked(registry, name, signal);
  const root = path === "" ? undefined : await ask(path);
  if (root?.error === undefined && root?.contents.children !== undefined) return yield* downFrom(root, ask);
  if (root?.error !== undefined && root.error.code !== "NOT_FOUND") throw root.error;
  let any = false;
  if (root !== undefined && root.error === undefined) {
    any = true;
    yield root;
  }
  for await (const found of mapOrdered(namesBelow(registry, path, signal), atOnce, ask)) {
    // Some list what they have emptied.
    if (found.error?.code === "NOT_FOUND") continue;
    any = true;
    yield found;
  }
  if (!any && root?.error !== undefined) throw root.error;
}

const asked = async (registry: Registry, path: string, signal: AbortSignal | undefined): Promise<FoundRepository> => {
  try {
    const repository = registry.repository(path);
    return { path, repository, contents: await repository.contents({ signal }) };
  } catch (error) {
    throwIfAborted(signal);
    if (isDrayError(error)) return { path, error };
    throw error;
  }
};

async function* downFrom(
  found: FoundRepository,
  ask: (path: string) => Promise<FoundRepository>,
): AsyncGenerator<FoundRepository> {
  yield found;
  if (found.error !== undefined) return;
  const children = found.contents.children ?? [];
  for await (const child of mapOrdered(children, atOnce, (name) => ask(`${found.path}/${name}`)))
    yield* downFrom(child, ask);
}

/** Each once, also where pages of a catalog overlap. */
async function* namesBelow(registry: Registry, path: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const name of registry.catalog({ signal })) {
    if ((path !== "" && !name.startsWith(`${path}/`)) || seen.has(name)) continue;
    seen.add(name);
    yield name;
  }
}
