import { dockerArchive } from "../archive/index.ts";
import {
  type Cancel,
  type Content,
  isManifest,
  type OfKind,
  type PlannedContent,
  type WriteOptions,
} from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { ociArchive } from "../layout/index.ts";
import { canonical, type Descriptor, type Digest, isConfigType, parseReference } from "../oci/index.ts";
import type { ArchiveStore } from "../tarball/index.ts";
import type { Engine } from "./engine.ts";
import { LoadPipe } from "./load-pipe.ts";

/** One load: what is written goes to the engine as an archive, which it has as a whole in the end, or not at all. */
export class EngineLoad {
  readonly #engine: Engine;
  readonly #keepsManifests: boolean;
  readonly #pipe = new LoadPipe();
  readonly #stop = new AbortController();
  readonly #archive: ArchiveStore;
  /** Roots that the engine has, and their IDs there. */
  readonly #there = new Map<Digest, string>();
  readonly #names: [id: string, name: string][] = [];
  #loading: Promise<unknown> | undefined;
  #fault: { readonly error: unknown } | undefined;
  #manifests = 0;

  constructor(engine: Engine, keepsManifests: boolean) {
    this.#engine = engine;
    this.#keepsManifests = keepsManifests;
    this.#archive = (keepsManifests ? ociArchive : dockerArchive)("-", { output: this.#pipe.input });
  }

  async plan(root: Descriptor, content: readonly PlannedContent[], options: Cancel): Promise<void> {
    await this.#archive.plan(root, content, options);
    const config = content.find(({ descriptor }) => isConfigType(descriptor.mediaType))?.descriptor;
    if (!this.#keepsManifests && config === undefined)
      throw new DrayError(
        "UNSUPPORTED",
        `${root.digest} is no image, since it has no configuration of one, and this engine keeps nothing else; copy it to a registry or into an OCI layout`,
        { reference: root.digest },
      );
    const id = this.#keepsManifests ? root.digest : config?.digest;
    if (id !== undefined && (await this.#has(id, options))) this.#there.set(root.digest, id);
  }

  async has(descriptor: Descriptor, options: Cancel & OfKind): Promise<boolean> {
    return this.#there.has(descriptor.digest) || this.#archive.has(descriptor, options);
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions): Promise<void> {
    this.#loading ??= this.#begin();
    await this.#inEngine(() => this.#archive.write(descriptor, content, options));
    if (isManifest(descriptor, options)) this.#manifests++;
  }

  /** @throws DrayError `USAGE` for what an engine can give no name */
  async tag(descriptor: Descriptor, name: string, options: Cancel): Promise<void> {
    if (name === "") throw new DrayError("USAGE", "an image gets a name in an engine: write docker-daemon:NAME");
    const reference = parseReference(name);
    if (reference.digest !== undefined)
      throw new DrayError("USAGE", `docker-daemon:${name} names a digest, which no engine gives an image; name a tag`, {
        reference: name,
      });
    // In full: engines disagree what a short one stands for.
    const full = canonical(reference);
    const id = this.#there.get(descriptor.digest);
    if (id === undefined) await this.#archive.tag(descriptor, full, options);
    else this.#names.push([id, name]);
  }

  /** Ends it: now the engine has everything, under its names. `abort`: it gets nothing. */
  async close(abort: boolean): Promise<void> {
    const isWhole = !abort && this.#manifests > 0;
    try {
      await this.#inEngine(() => this.#archive.close({ abort: !isWhole }));
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    }
    if (isWhole) {
      this.#pipe.end();
      await this.#loading;
      if (this.#fault !== undefined) throw this.#fault.error;
    } else await this.#giveUp(new DrayError("ABORTED", "interrupted"));
    if (!abort) for (const [id, name] of this.#names) await this.#engine.tag(id, name);
  }

  /** The engine gets a tar that breaks off, and keeps nothing of it. */
  async #giveUp(error: unknown): Promise<void> {
    this.#pipe.fail(error);
    this.#stop.abort(error);
    await this.#loading;
  }

  async #has(id: string, { signal }: Cancel): Promise<boolean> {
    try {
      await this.#engine.inspect(id, { signal });
      return true;
    } catch (error) {
      if (isDrayError(error, "NOT_FOUND")) return false;
      throw error;
    }
  }

  /** Never rejects: whoever writes and whoever closes hears of it. */
  #begin(): Promise<unknown> {
    return this.#engine.load(this.#pipe.content, { signal: this.#stop.signal }).catch((error: unknown) => {
      this.#fault ??= { error };
      this.#pipe.fail(error);
    });
  }

  /** What the engine says of its failure is worth more than that nobody reads any more. */
  async #inEngine(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#fault !== undefined && isDrayError(error, "DISK")) throw this.#fault.error;
      throw error;
    }
  }
}
