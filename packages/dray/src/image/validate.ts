import { availableParallelism } from "node:os";
import { Semaphore } from "../async/index.ts";
import { layerDigests } from "../compression/index.ts";
import {
  borrowed,
  digestMismatch,
  hashed,
  isHeld,
  isManifest,
  isTransferring,
  loadManifest,
  type ReadableStore,
  sized,
} from "../content/index.ts";
import { type DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import {
  algorithmOf,
  childrenOf,
  type Descriptor,
  digestOf,
  formatPlatform,
  isConfigType,
  isEncryptedLayerType,
  isLayerType,
  liesElsewhere,
  normalizePlatform,
  subjectOf,
} from "../oci/index.ts";
import { platformOf } from "./config.ts";
import { type Image, type Layer, viewOfLoaded } from "./views.ts";

/** How thoroughly is looked, and how much at once. */
export interface ValidateOptions {
  /** Only whether everything is there; layers are not read. Needs a store that can tell. */
  fast?: boolean;
  /** Layers read at the same time. Default: twice the cores. */
  jobs?: number;
  signal?: AbortSignal;
}

/** One thing that is not as it should be. */
export interface Finding {
  /** The manifest, configuration or layer concerned. */
  readonly descriptor: Descriptor;
  readonly message: string;
}

/** What `validate` found. */
export interface ValidateResult {
  readonly findings: readonly Finding[];
  /** Manifests and blobs looked at. */
  readonly checked: number;
}

/**
 * Recomputes every digest, size and diffID below a root, with layers in parallel: manifests, configurations, layers as
 * they lie and as they are inside, content that descriptors carry in `data`, platforms against configurations. Each blob is read once.
 * @returns what was found; empty when all is well. Faults of the network or of the caller are thrown.
 * @example const { findings } = await validate(store, await store.resolve("1.0"));
 */
export const validate = async (
  store: ReadableStore,
  root: Descriptor,
  options: ValidateOptions = {},
): Promise<ValidateResult> => {
  const check = new Validation(store, options);
  check.carried(root);
  await check.manifest(root);
  return { findings: check.findings, checked: check.checked };
};

/** What is wrong with the content, as opposed to what is wrong with the way to it. */
const isFault = (error: unknown): error is DrayError =>
  isDrayError(
    error,
    "DIGEST_MISMATCH",
    "SIZE_MISMATCH",
    "MANIFEST_INVALID",
    "NOT_FOUND",
    "LIMIT_EXCEEDED",
    "UNSUPPORTED",
    "ARCHIVE_INVALID",
    "LAYOUT_INVALID",
  );

class Validation {
  readonly findings: Finding[] = [];
  readonly #store: ReadableStore;
  readonly #options: ValidateOptions;
  readonly #slots: Semaphore;
  readonly #seen = new Set<string>();

  constructor(store: ReadableStore, options: ValidateOptions) {
    this.#store = store;
    this.#options = options;
    refuseNumber("jobs", options.jobs);
    this.#slots = new Semaphore(options.jobs ?? 2 * availableParallelism());
  }

  get checked(): number {
    return new Set([...this.#seen].map((key) => key.split(" ")[0])).size;
  }

  /** Whether this was not looked at before. */
  #first(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  /** Some readers take what a descriptor carries for the content, and never look at that. */
  carried(descriptor: Descriptor): void {
    const { data, digest } = descriptor;
    if (data === undefined) return;
    const bytes = Buffer.from(data, "base64");
    const found = digestOf(bytes, algorithmOf(digest));
    if (bytes.toString("base64") !== data) this.#add(descriptor, "its member data is no base64");
    else if (found !== digest)
      this.#add(descriptor, `its member data has digest ${found}, and stands for other content with some readers`);
  }

  async manifest(descriptor: Descriptor): Promise<void> {
    const { signal } = this.#options;
    throwIfAborted(signal);
    if (!this.#first(descriptor.digest)) return;
    await this.#finding(descriptor, async () => {
      const loaded = await loadManifest(this.#store, descriptor, { signal });
      const { parsed } = loaded;
      for (const named of [...childrenOf(parsed), subjectOf(parsed) ?? []].flat()) this.carried(named);
      if (parsed.kind === "artifact") {
        await Promise.all(parsed.artifact.blobs.map((blob) => this.#blob(blob)));
        return;
      }
      const view = viewOfLoaded(this.#store, loaded, { signal });
      if (view.kind === "index") {
        // In order: the number of layers in flight is bounded below, that of manifests here.
        for (const child of (await view.index()).manifests)
          await (isManifest(child) ? this.manifest(child) : this.#blob(child));
      } else await this.#image(view);
    });
  }

  async #image(image: Image): Promise<void> {
    const { config, layers } = await image.manifest();
    if (!isConfigType(config.mediaType)) {
      // An artifact: its blobs have no diffIDs.
      await Promise.all([config, ...layers].map((blob) => this.#blob(blob)));
      return;
    }
    this.#first(config.digest);
    await this.#finding(config, () => this.#checkConfig(image, config));
    const views = await image.layers();
    await Promise.all(views.map((layer) => this.#layer(layer)));
  }

  async #checkConfig(image: Image, descriptor: Descriptor): Promise<void> {
    const config = await image.config();
    const { layers } = await image.manifest();
    if (config.rootfs?.type !== undefined && config.rootfs.type !== "layers")
      this.#add(descriptor, `rootfs.type is "${config.rootfs.type}", not "layers"`);
    const ids = config.rootfs?.diff_ids?.length ?? 0;
    if (ids !== layers.length)
      this.#add(descriptor, `the configuration has ${ids} diff_ids for ${layers.length} layers`);
    const expected = image.descriptor.platform;
    const found = platformOf(config);
    if (expected === undefined || found === undefined) return;
    const [wanted, has] = [expected, found].map((platform) => normalizePlatform(platform));
    if (
      wanted?.os !== has?.os ||
      wanted?.architecture !== has?.architecture ||
      (expected.variant && found.variant && wanted?.variant !== has?.variant)
    )
      this.#add(
        descriptor,
        `the index says ${formatPlatform(expected)}, the configuration says ${formatPlatform(found)}`,
      );
  }

  /** Reads a layer once and computes both digests on the way. */
  async #layer({ descriptor, diffID }: Layer): Promise<void> {
    // What is inside an encrypted layer knows who has the key.
    const { mediaType } = descriptor;
    if (diffID === undefined || !isLayerType(mediaType) || isEncryptedLayerType(mediaType))
      return this.#blob(descriptor);
    if (liesElsewhere(descriptor) || !this.#first(`${descriptor.digest} ${diffID}`)) return undefined;
    return this.#content(descriptor, async () => {
      const { digest, diffID: diff } = await layerDigests(this.#read(descriptor), {
        size: descriptor.size,
        algorithm: algorithmOf(descriptor.digest),
        inside: algorithmOf(diffID),
      });
      if (digest !== descriptor.digest) throw digestMismatch(descriptor, digest);
      if (diff !== diffID) this.#add(descriptor, `the layer's diffID is ${diff}, the configuration says ${diffID}`);
    });
  }

  async #blob(descriptor: Descriptor): Promise<void> {
    if (!this.#first(descriptor.digest)) return;
    await this.#content(descriptor, async () => {
      const digest = await hashed(this.#read(descriptor), algorithmOf(descriptor.digest), descriptor.size);
      if (digest !== descriptor.digest) throw digestMismatch(descriptor, digest);
    });
  }

  /** Looks at content in its turn. In a fast check: whether it is there is all we ask. */
  #content(descriptor: Descriptor, check: () => Promise<void>): Promise<void> {
    const { signal, fast = false } = this.#options;
    return this.#slots.run(signal, () =>
      this.#finding(descriptor, async () => {
        const there = fast ? await isHeld(this.#store, descriptor, { signal }) : undefined;
        if (there === undefined) return check();
        if (!there) this.#add(descriptor, "is missing, or has another size");
      }),
    );
  }

  #read(descriptor: Descriptor): AsyncIterable<Uint8Array> {
    const chunks = this.#store.read(descriptor, { kind: "blob", verify: false, signal: this.#options.signal });
    return sized(isTransferring(this.#store) ? chunks : borrowed(chunks), descriptor);
  }

  async #finding(descriptor: Descriptor, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isFault(error)) throw error;
      this.#add(descriptor, error.message);
    }
  }

  #add(descriptor: Descriptor, message: string): void {
    this.findings.push({ descriptor, message });
  }
}
