import { type Credential, connect, type Keychain, openImage, type Registry, type Repository } from "dray";

/** A container's image, as a watcher of updates keeps it. */
export interface WatchedImage {
  readonly name: string;
  readonly registry: { readonly url: string };
  readonly tag: { readonly value: string };
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** What a watcher was told of a registry. Credentials that end (those of clouds) say when, by `expiresAt`. */
export interface WatcherConfiguration {
  readonly login?: string;
  readonly password?: string;
  readonly credential?: () => Promise<Credential>;
  readonly concurrency?: number;
  /** Hears of each request, for metrics: seconds. */
  readonly onRequest?: (seconds: number) => void;
}

/** One client for every kind of registry: how each wants to be asked it says itself. */
export class WatchedRegistry {
  readonly #configuration: WatcherConfiguration;
  readonly #registries = new Map<string, Registry>();

  constructor(configuration: WatcherConfiguration = {}) {
    this.#configuration = configuration;
  }

  /** Higher names first. */
  async getTags(image: WatchedImage): Promise<string[]> {
    return (await Array.fromAsync(this.#repository(image).tags())).sort().reverse();
  }

  /** The digest of a tag, by HEAD alone: what a container that was pulled by it is compared with. */
  async getDigest(image: WatchedImage): Promise<string> {
    return this.#repository(image).digest(image.tag.value);
  }

  /** The manifest of the container's own platform, and when it was made. */
  async getImageManifestDigest(image: WatchedImage, digest?: string): Promise<{ digest: string; created?: string }> {
    const { os, architecture, variant, name, tag } = image;
    const platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
    const location = { store: this.#repository(image), name: digest ?? tag.value, location: name };
    const found = await openImage(location, { platform });
    const { created } = await found.config();
    return { digest: found.descriptor.digest, ...(created === undefined ? {} : { created }) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#registries.values()].map((registry) => registry.close()));
  }

  #repository({ registry: { url }, name }: WatchedImage): Repository {
    const known = this.#registries.get(url);
    const { concurrency = 2, onRequest } = this.#configuration;
    const registry =
      known ??
      connect(url, {
        ambient: false,
        userAgent: "wud",
        credentials: keychainOf(this.#configuration),
        budget: { concurrency, maxWait: 60_000 },
        trace: ({ duration }) => onRequest?.(duration / 1000),
      });
    this.#registries.set(url, registry);
    return registry.repository(name);
  }
}

const keychainOf =
  ({ login, password, credential }: WatcherConfiguration): Keychain =>
  async () =>
    credential === undefined
      ? login === undefined
        ? undefined
        : { username: login, password, source: "wud" }
      : credential();
