import { DrayError, isDrayError, throwIfAborted } from "dray/errors";
import { parseLocation } from "dray/locations";
import { parseRegistry, parseRepository } from "dray/oci";
import type { Contents, Registry, Repository } from "dray/registry";
import { walkRepositories } from "dray/repositories";
import type { Call } from "../context.ts";
import { messageOf } from "../failure.ts";
import { registryIn } from "../named-registry.ts";

/** Where repositories lie: a registry, and a path on it, which is `""` for all that it has. */
export interface Place {
  readonly registry: string;
  readonly path: string;
}

/**
 * Reads `registry/path`, or with `recursive` a registry alone.
 * @throws DrayError `REFERENCE_INVALID`, `USAGE` for what lies on no registry
 */
export const placeIn = (text: string, { recursive }: { readonly recursive: boolean }): Place => {
  const registry = recursive ? registryIn(text) : undefined;
  if (registry !== undefined) return { registry: parseRegistry(registry), path: "" };
  if (parseLocation(text).kind !== "registry")
    throw new DrayError("USAGE", `"${text}" lies on no registry; expected REGISTRY/REPOSITORY`, { reference: text });
  const { registry: host, repository } = parseRepository(text.replace(/^docker:\/\//, ""));
  return { registry: host, path: repository };
};

/** A repository, as it is printed, and what it holds. */
export interface HeldRepository {
  /** `registry/path` */
  readonly name: string;
  readonly repository: Repository;
  readonly contents: Contents;
}

/** Whether all below is meant, too, and who hears of those of which nothing can be told: then the others go on. */
export interface Where {
  readonly recursive: boolean;
  readonly ended: Ended;
}

/** How many repositories went well, and why others did not. */
export interface Ended {
  whole: number;
  readonly broken: DrayError[];
}

/** Repositories as they are found. */
export async function* repositoriesAt(
  { signal, reporter }: Call,
  registry: Registry,
  { path }: Pick<Place, "path">,
  { recursive, ended: { broken } }: Where,
): AsyncGenerator<HeldRepository> {
  if (!recursive) {
    const repository = registry.repository(path);
    yield { name: `${registry.name}/${path}`, repository, contents: await repository.contents({ signal }) };
    return;
  }
  for await (const found of walkRepositories(registry, path, { signal })) {
    const name = `${registry.name}/${found.path}`;
    if (found.error === undefined) {
      yield { name, repository: found.repository, contents: found.contents };
      continue;
    }
    broken.push(found.error);
    reporter.warn(`${name}: ${messageOf(found.error)}`);
  }
}

/** Work on a repository. The fault of one of many does not end the others. */
export const onOne = async <T>(
  { signal, reporter }: Call,
  name: string,
  { recursive, ended }: Where,
  work: () => Promise<T>,
): Promise<T | undefined> => {
  try {
    const done = await work();
    ended.whole++;
    return done;
  } catch (error) {
    throwIfAborted(signal);
    if (!recursive || !isDrayError(error)) throw error;
    ended.broken.push(error);
    reporter.warn(`${name}: ${messageOf(error)}`);
    return undefined;
  }
};

/** @throws DrayError `PARTIAL` where something was broken, and the error itself where nothing went well, and for that one reason */
export const tellBroken = ({ whole, broken }: Ended, what: string): void => {
  const [first] = broken;
  if (first === undefined) return;
  if (whole === 0 && broken.every(({ code }) => code === first.code)) throw first;
  const repositories = broken.length === 1 ? "1 repository" : `${broken.length} repositories`;
  throw new DrayError("PARTIAL", `${repositories} could not be ${what}; run the same again to try once more`);
};
