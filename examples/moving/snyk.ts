import {
  connect,
  copy,
  dockerArchive,
  type ImageConfig,
  isDrayError,
  type Manifest,
  type Registry,
  staticCredential,
} from "dray";
import { parseDigest } from "dray/oci";

/** How a registry that a customer has named is reached. */
export interface RegistryOptions {
  readonly username?: string;
  readonly password?: string;
  readonly protocol?: "http" | "https";
  readonly headers?: Readonly<Record<string, string>>;
  /** Hosts that may be visited besides the registry: its token service, its storage. */
  readonly allowedHosts?: readonly string[];
}

/** A registry for a service that takes its name from a customer: no other host is visited than those allowed, and nothing of this machine is used. */
export const customerRegistry = (host: string, options: RegistryOptions = {}): Registry => {
  const { username, password, protocol = "https", headers, allowedHosts } = options;
  return connect(`${protocol}://${host}`, {
    ambient: false,
    userAgent: "docker-registry-v2-client",
    headers,
    credentials:
      username === undefined ? undefined : staticCredential({ username, password, source: "customer" }, host),
    allowHost: (url, purpose) =>
      purpose === "registry" || allowedHosts === undefined || allowedHosts.some((name) => isBelow(url.hostname, name)),
  });
};

const isBelow = (host: string, name: string): boolean => host === name || host.endsWith(`.${name}`);

/** Whether the registry speaks the API and lets us in. */
export const checkSupport = async (registry: Registry): Promise<boolean> => {
  try {
    await registry.ping();
    return true;
  } catch (error) {
    if (isDrayError(error, "UNAUTHORIZED", "DENIED", "NOT_FOUND", "REGISTRY")) return false;
    throw error;
  }
};

export const getRepos = (registry: Registry, pageSize = 1000): Promise<string[]> =>
  Array.fromAsync(registry.catalog({ pageSize }));

/** The tags; a registry that cuts its pages without a link is asked to go on after the last name. */
export const getTags = async (registry: Registry, name: string, pageSize = 1000): Promise<string[]> => {
  const tags = new Set<string>();
  for (let last: string | undefined, full = true; full; ) {
    full = false;
    for await (const page of registry.repository(name).tags({ pageSize, last }).pages()) {
      const before = tags.size;
      for (const tag of page) tags.add(tag);
      last = page.at(-1);
      full = page.length === pageSize && tags.size > before;
    }
  }
  return [...tags];
};

export const getManifest = (registry: Registry, name: string, tag: string): Promise<Manifest> =>
  registry
    .repository(name)
    .manifest(tag)
    .then(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as Manifest);

/** One GET: the digest is all that is known. */
export const getImageConfig = (registry: Registry, name: string, digest: string): Promise<ImageConfig> =>
  registry.repository(name).json<ImageConfig>(parseDigest(digest));

export const getLayer = (registry: Registry, name: string, digest: string): AsyncIterable<Uint8Array> =>
  registry.repository(name).blob(parseDigest(digest));

export const getImageSize = async (registry: Registry, name: string, tag: string): Promise<number> => {
  const { layers } = await getManifest(registry, name, tag);
  return layers.reduce((sum, { size }) => sum + size, 0);
};

/** What `docker save` would write, layers as they lie in the registry. */
export const pull = async (
  registry: Registry,
  name: string,
  tag: string,
  file: string,
  platform: string,
): Promise<void> => {
  const source = { store: registry.repository(name), name: tag, location: `${registry.name}/${name}:${tag}` };
  await copy(source, { store: dockerArchive(file), name: source.location, location: file }, { platforms: [platform] });
};
