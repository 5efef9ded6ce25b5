import { type ConnectOptions, connect, type Descriptor, openRepository, parseReference } from "dray";

/** What is attached to an image. */
export interface AddArtifactOptions {
  readonly artifact: Uint8Array;
  readonly mediaType: string;
  readonly imageDigest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Attaches attestations and signatures to images. Credentials are docker's, its `HttpHeaders` too; registries without the referrers API keep the list by its tag. */
export class OCIImage {
  readonly #name: string;
  readonly #options: ConnectOptions;

  constructor(name: string, options: ConnectOptions = {}) {
    const { registry, repository } = parseReference(name);
    this.#name = `${registry}/${repository}`;
    this.#options = { userAgent: "sigstore", ...options };
  }

  async addArtifact({ artifact, mediaType, imageDigest, annotations }: AddArtifactOptions): Promise<Descriptor> {
    await using image = await openRepository(`${this.#name}@${imageDigest}`, this.#options);
    const layer = await image.store.put(artifact, { mediaType });
    const created = { "org.opencontainers.image.created": new Date().toISOString() };
    return await image.store.attach(image.name, {
      artifactType: mediaType,
      layers: [layer],
      annotations: { ...created, ...annotations },
    });
  }

  /** The artifacts of a type that an image has, as JSON. */
  async getArtifacts<T>(imageDigest: string, artifactType: string): Promise<T[]> {
    await using image = await openRepository(`${this.#name}@${imageDigest}`, this.#options);
    const { store, name } = image;
    const found: T[] = [];
    for await (const referrer of store.referrers(await store.resolve(name), { artifactType })) {
      const { layers } = await store.json<{ layers: Descriptor[] }>(referrer);
      for (const layer of layers) found.push(await store.json<T>(layer));
    }
    return found;
  }

  async getDigest(tag: string): Promise<string> {
    await using image = await openRepository(`${this.#name}:${tag}`, this.#options);
    return await image.store.digest(tag);
  }
}

/** Whether a registry takes these credentials. */
export const checkCredentials = async (registry: string, options: ConnectOptions = {}): Promise<void> => {
  await using asked = connect(registry, options);
  await asked.ping();
};
