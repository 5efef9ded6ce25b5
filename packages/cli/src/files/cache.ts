import { Option } from "commander";
import { type BlobCache, blobCache, cachedStore } from "dray/cache";
import type { ReadableStore } from "dray/content";
import { DrayError } from "dray/errors";
import type { Call } from "../context.ts";
import type { Environment } from "../environment.ts";
import { type SharedOptions, size } from "../flags.ts";

/** What a command that keeps layers can be told. */
export interface CacheOptions extends SharedOptions {
  readonly cache_path?: string;
  readonly cacheSize?: number;
  /** `false`: nothing is kept, and nothing is read that was. */
  readonly cache?: boolean;
}

/** Where layers are kept. crane's flag has an underscore. */
export const cachePathFlag = (does = "where layers are kept (default $XDG_CACHE_HOME/dray/blobs)"): Option =>
  new Option("-c, --cache_path <directory>", does);

export const cacheSizeFlag = (): Option =>
  new Option("--cache-size <bytes>", "keep so much at most, such as 2GB (default 10GiB)").argParser(size);

/** The flags of commands that read layers by way of the cache. */
export const cacheFlags = (): Option[] => [
  cachePathFlag(),
  cacheSizeFlag(),
  new Option("--no-cache", "keep no layers, and fetch those that are kept already"),
];

/** Where the cache is unless somebody says so; `undefined` where there is no home. */
export const cacheDirectory = ({ env }: { readonly env: Environment }): string | undefined => {
  const named = env["XDG_CACHE_HOME"];
  if (named?.startsWith("/")) return `${named}/dray/blobs`;
  return env["HOME"] ? `${env["HOME"]}/.cache/dray/blobs` : undefined;
};

/** The cache that was asked for, or the user's own. @throws DrayError `USAGE` where there is neither */
export const cacheOf = ({ options, env, reporter }: Call<CacheOptions>): BlobCache => {
  const directory = options.cache_path || cacheDirectory({ env });
  if (directory === undefined)
    throw new DrayError(
      "USAGE",
      "there is no HOME where layers are kept; name their directory with --cache_path DIRECTORY",
    );
  return blobCache(directory, { limit: options.cacheSize, onWarning: (message) => reporter.warn(message) });
};

/** A store that is far away, with its blobs kept here. */
export const withCache = (call: Call<CacheOptions>, store: ReadableStore): ReadableStore => {
  const { cache, cache_path: said } = call.options;
  if (cache === false || (said === undefined && cacheDirectory(call) === undefined)) return store;
  return cachedStore(store, cacheOf(call));
};
