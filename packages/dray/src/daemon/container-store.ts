import { Lazy } from "../async/index.ts";
import {
  type Cancel,
  type ComesInOrder,
  type ComingBlob,
  type ComposesManifests,
  type Content,
  checked,
  type Holds,
  type MemoryStore,
  memoryStore,
  passedOver,
  put,
  putManifest,
  type ReadableStore,
  type ReadOptions,
  type Store,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError } from "../errors.ts";
import { type AsyncDigester, digesterFor } from "../hash/index.ts";
import { type Descriptor, type Digest, encodeJson, mediaTypes } from "../oci/index.ts";
import type { EngineContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";

/** Containers of an engine as a store to read from. */
export type ContainerStore = Store & ComesInOrder & ComposesManifests & Holds;

/**
 * Containers of an engine as images of one layer, their file systems as `docker export` gives them, by name or ID: what was written since the container
 * was made is in it, what is mounted into it is not. Its configuration is what the container runs with, on the platform of its image; nothing says
 * when it was made, so the same files make the same image. A container that is changed meanwhile is an error and no image.
 * @throws DrayError from its functions: `NOT_FOUND`, `DIGEST_MISMATCH`, `USAGE` without a name, and what the engine's functions throw
 * @example
 * const engine = connectEngine();
 * const job = { store: containerStore(engine), name: "job", location: "docker-container:job" };
 * await copy(job, await open("registry.example/job:result"));
 */
export const containerStore = (engine: Engine): ContainerStore => new ContainerImages(engine);

/** A container whose file system was read once. */
interface Exported {
  readonly id: string;
  readonly root: Descriptor;
  readonly layer: Descriptor;
  readonly documents: MemoryStore;
}

class ContainerImages implements ContainerStore {
  readonly composesManifests = true;
  readonly #engine: Engine;
  readonly #exported = new Map<string, Lazy<Exported>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async resolve(name: string, { signal }: Cancel = {}): Promise<Descriptor> {
    const known = this.#exported.get(name) ?? new Lazy();
    this.#exported.set(name, known);
    return (await known.get(() => this.#export(name, async ({ content }) => drained(content), signal))).root;
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const found = await this.#find(descriptor);
    if (found === undefined)
      throw new DrayError("NOT_FOUND", `no container that was looked at has ${descriptor.digest}`, {
        reference: descriptor.digest,
      });
    if (found.layer.digest !== descriptor.digest) return yield* found.documents.read(descriptor, options);
    const chunks = passedOver(options.offset ?? 0, this.#files(found.id, options.signal));
    yield* checked(chunks, descriptor, options, (error) => error);
  }

  async holds(descriptor: Descriptor): Promise<boolean> {
    return (await this.#find(descriptor)) !== undefined;
  }

  async inOrder(
    names: readonly string[],
    take: (blob: ComingBlob) => Promise<void>,
    { signal }: Cancel = {},
  ): Promise<ReadableStore> {
    for (const name of names) {
      const exported = await this.#export(name, take, signal);
      const known = new Lazy<Exported>();
      await known.get(async () => exported);
      this.#exported.set(name, known);
    }
    return this;
  }

  /** Its one layer is read from the engine again wherever it is needed. */
  async atHand(): Promise<ReadableStore> {
    return this;
  }

  async has(): Promise<boolean> {
    return false;
  }

  async write(): Promise<void> {
    throw new DrayError("UNSUPPORTED", "containers are read; an image goes into an engine as docker-daemon:NAME");
  }

  async tag(): Promise<void> {
    await this.write();
  }

  async close(): Promise<void> {}

  async #find(descriptor: Descriptor): Promise<Exported | undefined> {
    for (const known of this.#exported.values()) {
      const exported = await known.now();
      const isLayer = exported?.layer.digest === descriptor.digest;
      if (isLayer || (await exported?.documents.has(descriptor)) === true) return exported;
    }
    return undefined;
  }

  async *#files(id: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    yield* (await this.#engine.containers.export(id, { signal })).chunks;
  }

  async #export(
    name: string,
    take: (blob: ComingBlob) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<Exported> {
    if (name === "") throw new DrayError("USAGE", "docker-container: needs the NAME or ID of a container");
    const container = await this.#engine.containers.inspect(name, { signal });
    const counted = counting((own) => this.#files(container.id, own));
    const what = `docker-container:${name}`;
    await take({ size: undefined, compression: "none", composed: true, what, content: counted.content });
    const layer = { mediaType: mediaTypes.ociLayer, ...(await counted.result()) };
    const { platform } = await this.#engine.inspect(container.image, { signal });
    const documents = memoryStore();
    const config = await put(documents, encodeJson(configOf(container, platform, layer.digest)), {
      mediaType: mediaTypes.ociConfig,
    });
    const root = await putManifest(documents, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [layer],
    });
    return { id: container.id, root, layer, documents };
  }
}

const drained = async (content: Content): Promise<void> => {
  for await (const _ of content.open());
};

/** Content that counts and hashes what is read of it from its beginning. */
const counting = (
  open: (signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>,
): { readonly content: Content; result(): Promise<{ readonly digest: Digest; readonly size: number }> } => {
  let reading: { readonly hash: AsyncDigester; size: number } | undefined;
  const content: Content = {
    open: async function* ({ offset = 0, signal } = {}) {
      reading?.hash.abandon();
      const mine = { hash: digesterFor("sha256", undefined), size: 0 };
      reading = mine;
      yield* passedOver(offset, counted(open(signal), mine));
    },
  };
  return {
    content,
    result: async () => {
      if (reading === undefined) await drained(content);
      const { hash, size } = reading as NonNullable<typeof reading>;
      return { digest: await hash.digest(), size };
    },
  };
};

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  into: { readonly hash: AsyncDigester; size: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    await into.hash.update(chunk);
    into.size += chunk.byteLength;
    yield chunk;
  }
}

/** Members of a container's settings that are an image's, too. */
const kept = [
  "Cmd",
  "Entrypoint",
  "Env",
  "ExposedPorts",
  "Healthcheck",
  "Labels",
  "Shell",
  "StopSignal",
  "User",
  "Volumes",
  "WorkingDir",
];

const configOf = (
  { config, name }: EngineContainer,
  platform: object,
  diffID: Digest,
): Readonly<Record<string, unknown>> => ({
  ...platform,
  config: Object.fromEntries(kept.flatMap((member) => (isSaid(config[member]) ? [[member, config[member]]] : []))),
  rootfs: { type: "layers", diff_ids: [diffID] },
  history: [defined({ created_by: `docker export ${name}` })],
});

const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== "";
