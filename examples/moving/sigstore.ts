import {
  type ConnectOptions,
  connect,
  type Descriptor,
  type Opened,
  openRepository,
  parseReference,
  type Repository,
} from "dray";

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

  addArtifact({ artifact, mediaType, imageDigest, annotations }: AddArtifactOptions): Promise<Descriptor> {
    return this.#opened(`@${imageDigest}`, async ({ store, name }) => {
      const layer = await store.put(artifact, { mediaType });
      const created = { "org.opencontainers.image.created": new Date().toISOString() };
      return store.attach(name, {
        artifactType: mediaType,
        layers: [layer],
        annotations: { ...created, ...annotations },
      });
    });
  }

  /** The artifacts of a type that an image has, as JSON. */
  getArtifacts<T>(imageDigest: string, artifactType: string): Promise<T[]> {
    return this.#opened(`@${imageDigest}`, async ({ store, name }) => {
      const found: T[] = [];
      for await (const referrer of store.referrers(await store.resolve(name), { artifactType })) {
        const { layers } = await store.json<{ layers: Descriptor[] }>(referrer);
        for (const layer of layers) found.push(await store.json<T>(layer));
      }
      return found;
    });
  }

  getDigest(tag: string): Promise<string> {
    return this.#opened(`:${tag}`, ({ store }) => store.digest(tag));
  }

  /** What `await using` does, for a Node that does not know it. */
  async #opened<T>(which: string, work: (image: Opened<Repository>) => Promise<T>): Promise<T> {
    const image = await openRepository(this.#name + which, this.#options);
    try {
      return await work(image);
    } finally {
      await image[Symbol.asyncDispose]();
    }
  }
}

/** Whether a registry takes these credentials. */
export const checkCredentials = async (registry: string, options: ConnectOptions = {}): Promise<void> => {
  const asked = connect(registry, options);
  try {
    await asked.ping();
  } finally {
    await asked.close();
  }
};
