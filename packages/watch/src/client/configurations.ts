import { type Cancel, collect, type ReadableStore } from "dray/content";
import { isDrayError } from "dray/errors";
import { platformOf } from "dray/image";
import { LruCache, SingleFlight } from "dray/internal/async";
import { defined } from "dray/internal/defined";
import { type Descriptor, type Digest, formatPlatform, isObject, largestManifest, parseJson } from "dray/oci";
import { timeIn } from "../entry/index.ts";

/** What is taken from the configuration of an image. */
export interface ConfigurationFacts {
  /** RFC 3339. */
  readonly createdAt?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** `linux/arm64/v8` */
  readonly platform?: string;
  /** Why it is none: the digest is that of something else. */
  readonly fault?: string;
}

/** Configurations by digest. What a digest names never changes: an implementation may keep them for ever and for all repositories. */
export interface Configurations {
  get(digest: Digest): ConfigurationFacts | undefined | Promise<ConfigurationFacts | undefined>;
  set(digest: Digest, facts: ConfigurationFacts): void | Promise<void>;
}

/** Configurations in memory: the last that were used, 10,000 unless said otherwise. */
export const memoryConfigurations = (most = 10_000): Configurations => {
  const kept = new LruCache<Digest, ConfigurationFacts>(most, { largest: 1 });
  return { get: (digest) => kept.get(digest), set: (digest, facts) => kept.set(digest, facts) };
};

/** Reads each configuration once, however many tags and repositories name it and however many ask at the same time. */
export class ConfigurationReader {
  readonly #kept: Configurations;
  readonly #flights = new SingleFlight<ConfigurationFacts>();

  constructor(kept: Configurations) {
    this.#kept = kept;
  }

  /** @throws DrayError `NOT_FOUND` where the registry does not have it */
  async read(store: ReadableStore, config: Descriptor, { signal }: Cancel = {}): Promise<ConfigurationFacts> {
    const known = await this.#kept.get(config.digest);
    if (known !== undefined) return known;
    // What a manifest says of the size is no fault of what the digest names: others say it as it is.
    if (config.size > largestManifest) return { fault: `has ${config.size} bytes, which no configuration has` };
    const work = async (flight: { readonly signal: AbortSignal }): Promise<ConfigurationFacts> => {
      const facts = await readFacts(store, config, flight.signal);
      await this.#kept.set(config.digest, facts);
      return facts;
    };
    return this.#flights.run(config.digest, work, signal);
  }
}

const readFacts = async (
  store: ReadableStore,
  config: Descriptor,
  signal: AbortSignal,
): Promise<ConfigurationFacts> => {
  const bytes = await collect(store.read(config, { signal, kind: "blob" }), largestManifest, config.digest);
  try {
    const value = parseJson(bytes, "configuration");
    return isObject(value) ? factsIn(value) : { fault: "is no JSON object" };
  } catch (error) {
    if (isDrayError(error, "MANIFEST_INVALID")) return { fault: "is no JSON" };
    if (isDrayError(error, "LIMIT_EXCEEDED")) return { fault: "is larger or deeper than any configuration" };
    throw error;
  }
};

/** What a configuration says, as far as it is what it should be. Labels of what runs count before those of what has built it. */
export const factsIn = (config: Readonly<Record<string, unknown>>): ConfigurationFacts => {
  const platform = platformOf(config);
  return defined<ConfigurationFacts>({
    createdAt: timeIn(config["created"]),
    labels: labelsIn(config["config"]) ?? labelsIn(config["container_config"]),
    platform: platform === undefined || platform.os === "" ? undefined : formatPlatform(platform),
  });
};

const labelsIn = (container: unknown): Record<string, string> | undefined => {
  const labels = isObject(container) ? container["Labels"] : undefined;
  const found = Object.entries(isObject(labels) ? labels : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return found.length === 0 ? undefined : Object.fromEntries(found);
};
