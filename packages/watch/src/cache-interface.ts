import type { Cancel } from "dray/content";
import type { Repository } from "./repository.ts";

/** What a cache has under a key. */
export interface CachedValue {
  readonly value: Uint8Array;
  /** From when on it should be looked at again, in milliseconds since 1970. What is older is still there for a while: stale is better than nothing. */
  readonly deadline: number;
}

/**
 * Bytes by key, each with the time from which on it should be looked at again. A cache may forget anything at any time, and knows nothing of
 * what lies in it. An implementation gives back what was set, whole, or nothing.
 * @throws DrayError where the cache cannot be asked; whoever can do without goes on without
 */
export interface Cache {
  get(key: string, options?: Cancel): Promise<CachedValue | undefined>;
  /** @param deadline milliseconds since 1970 */
  set(key: string, value: Uint8Array, deadline: number, options?: Cancel): Promise<void>;
  /** What is not there is deleted, too. */
  delete(key: string, options?: Cancel): Promise<void>;
}

/** The key of what is known of one tag: the one under which flux keeps it. @example manifestKey(parseRepository("alpine"), "3.5") // "registryhistoryv3|index.docker.io/library/alpine|3.5" */
export const manifestKey = (repository: Repository, tag: string): string =>
  `registryhistoryv3|${nameInKeys(repository)}|${tag}`;

/** The key of what is known of a whole repository, as flux has it. @example repositoryKey(parseRepository("alpine")) // "registryrepov4|index.docker.io/library/alpine" */
export const repositoryKey = (repository: Repository): string => `registryrepov4|${nameInKeys(repository)}`;

/** Keys name Docker Hub by its older name. */
const nameInKeys = ({ host, namespaceImage }: Repository): string =>
  `${host === "docker.io" ? "index.docker.io" : host}/${namespaceImage}`;
