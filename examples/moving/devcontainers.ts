import {
  chain,
  collect,
  connect,
  type Descriptor,
  digestOf,
  dockerConfig,
  isDrayError,
  type Keychain,
  type Manifest,
  packManifest,
  parseReference,
  type Registry,
  readEntries,
} from "dray";

const manifestType = "application/vnd.devcontainers";
const layerType = "application/vnd.devcontainers.layer.v1+tar";

/** `DEVCONTAINERS_OCI_AUTH=registry|user|token,…`, then `GITHUB_TOKEN` for GitHub's, then what docker has. */
export const devcontainersKeychain = (env: NodeJS.ProcessEnv): Keychain => {
  const own: Keychain = async ({ registry }) => {
    const found = (env["DEVCONTAINERS_OCI_AUTH"] ?? "").split(",").map((entry) => entry.split("|"));
    const [, username, password] = found.find(([host]) => host === registry) ?? [];
    if (username !== undefined) return { username, password, source: "DEVCONTAINERS_OCI_AUTH" };
    const token = env["GITHUB_TOKEN"];
    if (registry !== "ghcr.io" || token === undefined) return undefined;
    return { username: "USERNAME", password: token, source: "GITHUB_TOKEN" };
  };
  return chain(own, dockerConfig({ env }));
};

/** A registry of features and templates. A token that has run out hides no feature that everybody may read. */
export const collectionRegistry = (host: string, env: NodeJS.ProcessEnv): Registry =>
  connect(host, { credentials: devcontainersKeychain(env), whenRefused: "anonymous", userAgent: "devcontainer" });

/** What a lock file and an installation need of a feature. */
export interface FetchedManifest {
  readonly manifest: Manifest;
  readonly contentDigest: string;
  readonly canonicalId: string;
}

/** A feature's manifest, with its name for a lock file; nothing where there is none. */
export const fetchManifest = async (registry: Registry, reference: string): Promise<FetchedManifest | undefined> => {
  const { repository, tag, digest } = parseReference(reference);
  try {
    const { descriptor, bytes } = await registry.repository(repository).manifest(digest ?? tag ?? "latest");
    const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
    if (manifest.config.mediaType !== manifestType) return undefined;
    return {
      manifest,
      contentDigest: descriptor.digest,
      canonicalId: `${registry.name}/${repository}@${descriptor.digest}`,
    };
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND", "UNAUTHORIZED", "DENIED")) return undefined;
    throw error;
  }
};

/** Versions that are published; none where nothing was, yet. */
export const getPublishedVersions = async (registry: Registry, repository: string): Promise<string[]> => {
  try {
    return await Array.fromAsync(registry.repository(repository).tags());
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return [];
    throw error;
  }
};

/** The files of a feature, by their names in its tar. The layer has its digest when this ends. */
export const fetchFeature = async (registry: Registry, reference: string): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>();
  const layer = (await fetchManifest(registry, reference))?.manifest.layers[0];
  if (layer === undefined) return files;
  for await (const { name, type, body } of readEntries(
    registry.repository(parseReference(reference).repository).blob(layer),
  ))
    if (type === "file") files.set(name.replace(/^\.\//, ""), await collect(body, 100_000_000, name));
  return files;
};

/** Publishes a feature under all of its versions: `1`, `1.2`, `1.2.3`, `latest`. */
export const pushFeature = async (
  registry: Registry,
  repository: string,
  { tar, title, tags, metadata }: { tar: Uint8Array; title: string; tags: readonly string[]; metadata: object },
): Promise<Descriptor> => {
  const store = registry.repository(repository);
  const config = await store.put(new Uint8Array(), { mediaType: manifestType });
  const layer = await store.put(tar, { mediaType: layerType });
  const annotations = {
    "dev.containers.metadata": JSON.stringify(metadata),
    "com.github.package.type": "devcontainer_feature",
  };
  const layers = [{ ...layer, annotations: { "org.opencontainers.image.title": title } }];
  return store.putManifest(packManifest({ config, layers, annotations }), { tags });
};

/** The digest of a tar, as a lock file has it. */
export const integrityOf = (tar: Uint8Array): string => digestOf(tar);
