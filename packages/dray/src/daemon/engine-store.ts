import { dockerArchive } from "../archive/index.ts";
import { Lazy, LazyMap } from "../async/index.ts";
import {
  type Cancel,
  type ChecksDigests,
  type ComesInOrder,
  type ComingBlob,
  type Content,
  type HasTags,
  type HoldsOnePlatform,
  type LiesOver,
  type NamesReferences,
  type OfKind,
  type OnEvent,
  type PlannedContent,
  type Plans,
  type ReadableStore,
  type ReadOptions,
  type Removes,
  type StartsEmpty,
  type Store,
  transfersAs,
  type WriteOptions,
} from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { ociArchive } from "../layout/index.ts";
import type { Descriptor, Platform } from "../oci/index.ts";
import { type ArchiveStore, spooledTar, type TarFile } from "../tarball/index.ts";
import type { Engine } from "./engine.ts";
import { EngineLoad } from "./engine-load.ts";
import { readSave } from "./saved-images.ts";

/** Images of a container engine as a store. */
export type EngineStore = Store &
  ChecksDigests &
  ComesInOrder &
  HasTags &
  HoldsOnePlatform &
  NamesReferences &
  Plans &
  Removes &
  StartsEmpty;

/**
 * The images of a container engine as a store, by `docker save` and `docker load`, both as streams. Names are references, or IDs.
 *
 * Read, an image's manifest is that of its save: an engine that keeps manifests gives its own; of another one it is made of the configuration and the
 * layers as they lie, unpacked, which become gzip on their way to a registry. An engine can give all of an image, and no part of it: `copy`
 * takes the layers as they come, in one stream for all that goes into one target; whoever reads here and there (a target that must know sizes
 * first, `validate`, files) gets a temporary file, of which `onEvent` hears once.
 *
 * Written, all that is copied is one load, which the engine takes as a whole or not at all; an image that it has already is only named. The form of
 * a load leaves no room for layers that the engine has: all are sent. An engine that keeps manifests gets them as they are, and indexes, too;
 * another one gets of an index the image for its own platform, and nothing that is no image. `tag` of what was resolved gives it another name at
 * once, `remove` takes a name away, or by ID the image.
 * @throws DrayError from its functions: `NOT_FOUND`, `ENGINE`, `USAGE` without a name, `UNSUPPORTED`, and what the engine's functions throw
 * @example
 * const engine = connectEngine();
 * const app = { store: engineStore(engine), name: "app:1", location: "docker-daemon:app:1" };
 * await copy(app, await open("registry.example/app:1"));
 * await engine.close();
 */
export const engineStore = (engine: Engine): EngineStore => new EngineImageStore(engine);

/** What a save holds: an archive in which some names stand for images by their IDs. */
interface Saved extends ReadableStore, LiesOver {
  readonly base: ArchiveStore;
}

class EngineImageStore implements EngineStore {
  readonly checksDigests = true;
  readonly startsEmpty = true;
  readonly namesReferences = true;
  readonly #engine: Engine;
  readonly #keeps = new Lazy<boolean>();
  /** Images whose documents are known, by ID. */
  readonly #documents = new LazyMap<string, Saved>();
  /** The same with the name that each was asked for by, and what that stands for. */
  readonly #known = new Map<string, { readonly name: string; readonly documents: Saved; readonly root: Descriptor }>();
  readonly #files = new LazyMap<string, Saved>();
  readonly #open: ArchiveStore[] = [];
  readonly #load = new Lazy<EngineLoad>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async resolve(name: string, { signal }: Cancel = {}): Promise<Descriptor> {
    const id = await this.#idOf(name, signal);
    const documents = await this.#documents.get(id, () => this.#streamed([[name, id]], signal));
    const root = await documents.resolve(name, { signal });
    this.#known.set(id, { name: this.#known.get(id)?.name ?? name, documents, root });
    return root;
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    for (const [id, { name, documents }] of this.#known) {
      if (!(await documents.base.holds(descriptor, options))) continue;
      try {
        yield* documents.read(descriptor, options);
      } catch (error) {
        if (!isDrayError(error, "CONSUMED")) throw error;
        const { signal, onEvent } = options;
        yield* (await this.#file([[name, id]], { signal, onEvent })).read(descriptor, options);
      }
      return;
    }
    const { digest } = descriptor;
    throw new DrayError("NOT_FOUND", `no image of the engine that was looked at has ${digest}`, { reference: digest });
  }

  async *tags({ signal }: Cancel = {}): AsyncGenerator<string> {
    const images = await this.#engine.list({ signal });
    yield* [...new Set(images.flatMap(({ names }) => names))].sort();
  }

  async inOrder(
    names: readonly string[],
    take: (blob: ComingBlob) => Promise<void>,
    { signal }: Cancel = {},
  ): Promise<ReadableStore> {
    return this.#streamed(await this.#idsOf(names, signal), signal, take);
  }

  async atHand(
    names: readonly string[],
    { signal, onEvent }: Cancel & { readonly onEvent?: OnEvent | undefined } = {},
  ): Promise<ReadableStore> {
    return this.#file(await this.#idsOf(names, signal), { signal, onEvent });
  }

  async platform({ signal }: Cancel = {}): Promise<Platform | undefined> {
    if (await this.#keepsManifests(signal)) return undefined;
    return (await this.#engine.version({ signal })).platform;
  }

  async plan(root: Descriptor, content: readonly PlannedContent[], options: Cancel = {}): Promise<void> {
    await (await this.#loading(options)).plan(root, content, options);
  }

  async has(descriptor: Descriptor, options: Cancel & OfKind = {}): Promise<boolean> {
    return (await this.#load.now())?.has(descriptor, options) ?? false;
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    await (await this.#loading(options)).write(descriptor, content, options);
  }

  async tag(descriptor: Descriptor, name: string, options: Cancel = {}): Promise<void> {
    const load = await this.#load.now();
    if (load !== undefined) return load.tag(descriptor, name, options);
    // What it has and was asked for gets another name there and then.
    const [id] = [...this.#known].find(([, { root }]) => root.digest === descriptor.digest) ?? [];
    if (id === undefined)
      throw new DrayError("NOT_FOUND", `cannot name ${descriptor.digest} "${name}": it was not written`, {
        reference: descriptor.digest,
      });
    await this.#engine.tag(id, name, options);
  }

  /** A name, or by ID the image, unless a container is made of it. */
  async remove(name: string, { signal }: Cancel = {}): Promise<void> {
    if (name === "")
      throw new DrayError("USAGE", "docker-daemon: names an engine and none of its images: docker-daemon:NAME does");
    await this.#engine.remove(name, { signal });
  }

  async close({ abort = false }: { abort?: boolean } = {}): Promise<void> {
    await Promise.all(this.#open.splice(0).map((archive) => archive.close({ abort: true })));
    await (await this.#load.take())?.close(abort);
  }

  #loading({ signal }: Cancel): Promise<EngineLoad> {
    return this.#load.get(async () => new EngineLoad(this.#engine, await this.#keepsManifests(signal)));
  }

  #keepsManifests(signal: AbortSignal | undefined): Promise<boolean> {
    return this.#keeps.get(() => this.#engine.keepsManifests({ signal }));
  }

  async #idsOf(names: readonly string[], signal: AbortSignal | undefined): Promise<Ids> {
    return Promise.all(names.map(async (name) => [name, await this.#idOf(name, signal)] as const));
  }

  async #idOf(name: string, signal: AbortSignal | undefined): Promise<string> {
    if (name === "")
      throw new DrayError("USAGE", "docker-daemon: names an engine and none of its images: docker-daemon:NAME does");
    return (await this.#engine.inspect(name, { signal })).id;
  }

  /** What a save holds, its layers given to whoever takes them. */
  async #streamed(
    ids: Ids,
    signal: AbortSignal | undefined,
    take?: (blob: ComingBlob) => Promise<void>,
  ): Promise<Saved> {
    const composed = !(await this.#keepsManifests(signal));
    const ask = async (own: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> =>
      (await this.#engine.save(idsIn(ids), { signal: own })).chunks;
    const what = whatOf(ids);
    const tar = await readSave(ask, { what, signal, take: take && ((blob) => take({ ...blob, composed })) });
    return this.#saved(ids, tar, composed);
  }

  /** What a save holds, in a temporary file. */
  #file(ids: Ids, { signal, onEvent }: Cancel & { readonly onEvent?: OnEvent | undefined }): Promise<Saved> {
    return this.#files.get(idsIn(ids).join(" "), async () => {
      const what = whatOf(ids);
      onEvent?.({
        type: "warning",
        message: `${what} is kept in a temporary file: an engine gives it as one stream, and it has to be read here and there`,
      });
      const { chunks } = await this.#engine.save(idsIn(ids), { signal });
      const tar = await spooledTar(nodeFiles, chunks, { path: what, what }, signal);
      const saved = this.#saved(ids, tar, !(await this.#keepsManifests(signal)));
      this.#open.push(saved.base);
      return saved;
    });
  }

  #saved(ids: Ids, tar: TarFile, composed: boolean): Saved {
    const base = (composed ? dockerArchive : ociArchive)("-", { tar });
    const byName = new Map(ids);
    return {
      base,
      resolve: async (name, options) => base.resolve(byName.get(name) ?? name, options),
      read: transfersAs<ReadableStore["read"]>(base, (descriptor, options) => base.read(descriptor, options)),
    };
  }
}

/** IDs by the names that were asked for. */
type Ids = readonly (readonly [name: string, id: string])[];

const idsIn = (ids: Ids): string[] => [...new Set(ids.map(([, id]) => id))];

const whatOf = (ids: Ids): string => `docker-daemon:${ids.map(([name]) => name).join(", ")}`;
