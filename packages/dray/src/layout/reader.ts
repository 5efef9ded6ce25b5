import { SingleFlight } from "../async/index.ts";
import {
  type Cancel,
  checked,
  childrenOfKind,
  type Describes,
  type HasOptions,
  type HasReferrers,
  type HasTags,
  type Holds,
  type ReadableStore,
  type ReadOptions,
  sizeMismatch,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import {
  asReferrer,
  type Descriptor,
  type Digest,
  type Index,
  isDigest,
  isObject,
  largestManifest,
  type ParsedManifest,
  parseJson,
  subjectOf,
} from "../oci/index.ts";
import { findDigest, findNamed, listNames } from "./entries.ts";
import { blobFile, type LayoutFile, type LayoutFiles } from "./files.ts";
import { LayoutGraph, parsedIfKnown } from "./graph.ts";
import { asIndex, layoutVersion } from "./index-file.ts";
import { onlyEntry, unknownName } from "./names.ts";
import { IndexOverview } from "./overview.ts";

/** Read access to a layout, wherever its files lie. Needs neither a lock nor permission to write. */
export class LayoutReader implements ReadableStore, HasTags, HasReferrers, Describes, Holds {
  readonly files: LayoutFiles;
  readonly graph: LayoutGraph;
  /** The index as it was read or written last. */
  #index: { readonly value: Index; readonly version: string | undefined } | undefined;
  readonly #overview: IndexOverview;
  readonly #loads = new SingleFlight<Index>();
  /** Whether it said that it is of a version that is read here. */
  #marked = false;

  constructor(files: LayoutFiles) {
    this.files = files;
    this.graph = new LayoutGraph(this);
    this.#overview = new IndexOverview(this.graph);
  }

  /** What a name, a digest or `""` stands for. */
  async resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    const index = await this.index(options);
    if (name === "") return onlyEntry(this.files, index, this.graph, options);
    const found = isDigest(name) ? await this.#byDigest(index, name, options) : findNamed(index, name);
    if (found === undefined) throw unknownName(this.files, index, name);
    return found;
  }

  async describe(digest: Digest, options: Cancel = {}): Promise<Descriptor> {
    const found = await this.#describeBlob(digest, options);
    if (found === undefined) throw unknownName(this.files, await this.index(options), digest);
    return found;
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { offset = 0, length, signal } = options;
    throwIfAborted(signal);
    const { digest, size } = descriptor;
    const { what, location } = this.files;
    const file = await this.files.find(blobFile(digest), options);
    if (file === undefined) throw new DrayError("NOT_FOUND", `${what} has no ${digest}`, { reference: location });
    const explain = (error: DrayError): unknown => {
      if (isDrayError(error, "DIGEST_MISMATCH")) this.foundWrong(digest);
      return this.files.damaged(descriptor, file.size, error);
    };
    if (file.size !== size) throw explain(sizeMismatch(descriptor, `${file.size}`));
    const chunks = file.read(defined({ offset, length, signal }));
    yield* checked(chunks, descriptor, options, explain);
  }

  async *tags(options: Cancel = {}): AsyncGenerator<string> {
    throwIfAborted(options.signal);
    yield* listNames(await this.index(options));
  }

  /** What says something about a subject, among the entries and those below them, and `unlisted` ones. */
  async *referrers(
    subject: Descriptor,
    { artifactType, ...options }: Cancel & { artifactType?: string } = {},
    unlisted: Iterable<Descriptor> = [],
  ): AsyncGenerator<Descriptor> {
    const { listed, aboutSubject } = await this.#overview.of(await this.index(options), options);
    const isWanted = (found: Descriptor): boolean => artifactType === undefined || found.artifactType === artifactType;
    yield* (aboutSubject.get(subject.digest) ?? []).filter(isWanted);
    for await (const { descriptor, parsed } of this.graph.below([...unlisted], options)) {
      if (listed.has(descriptor.digest) || subjectOf(parsed)?.digest !== subject.digest) continue;
      const found = asReferrer(descriptor, parsed);
      if (isWanted(found)) yield found;
    }
  }

  /** Every manifest that an entry of the index leads to. */
  async listed(options: Cancel): Promise<ReadonlySet<Digest>> {
    const index = await this.loadIndex(options);
    return index === undefined ? new Set() : (await this.#overview.of(index, options)).listed;
  }

  /** Hears of a manifest that was written, and what it says, where that is known. */
  protected arrived(digest: Digest, parsed: ParsedManifest | undefined): void {
    if (parsed !== undefined) this.graph.learn(digest, parsed);
    this.#overview.arrived(digest);
  }

  /** Hears of content that was removed. */
  protected forgotten(digest: Digest): void {
    this.graph.forget(digest);
    this.#overview.forget();
  }

  /** Hears of a blob whose file has the right size and other bytes. */
  protected foundWrong(_digest: Digest): void {}

  /** Whether a blob's file is there, of the right size. */
  async holds({ digest, size }: Descriptor, options: HasOptions = {}): Promise<boolean> {
    try {
      return (await this.files.find(blobFile(digest), options))?.size === size;
    } catch (error) {
      // No file, or a link elsewhere: not there, then. Writing puts a file in its place.
      if (isDrayError(error, "LAYOUT_INVALID")) return false;
      throw error;
    }
  }

  /** The index. @throws DrayError saying why there is none, or what is wrong with it */
  async index(options: Cancel = {}): Promise<Index> {
    const index = await this.loadIndex(options);
    if (index === undefined) throw await this.files.noIndex();
    return index;
  }

  /** The index; nothing where there is none. @throws DrayError saying what is wrong with it */
  async loadIndex(options: Cancel = {}): Promise<Index | undefined> {
    if (this.#index !== undefined && this.files.fixed) return this.#index.value;
    if (!this.#marked) await this.#checkMarker(options);
    const file = await this.files.find("index.json", options);
    if (file === undefined) return undefined;
    const { version } = file;
    if (version !== undefined && version === this.#index?.version) return this.#index.value;
    // Who asks meanwhile gets the same: thousands may ask at the same time.
    const load = async ({ signal }: Cancel): Promise<Index> => {
      const json = await this.#json(file, "index.json", { signal });
      const value = this.#parsed("index.json is damaged: ", () => asIndex(json));
      this.#index = { value, version };
      return value;
    };
    return this.#loads.run(version ?? "", load, options.signal);
  }

  /** Remembers the index that was written just now, of so many bytes. */
  async wrote(index: Index, size: number): Promise<void> {
    const file = await this.files.find("index.json", {});
    if (file?.size === size) this.#index = { value: index, version: file.version };
  }

  async #checkMarker(options: Cancel): Promise<void> {
    const file = await this.files.find("oci-layout", options);
    // crane reads layouts without it, and so do we.
    if (file === undefined) return;
    const marker = await this.#json(file, "oci-layout", options);
    const version = isObject(marker) ? marker["imageLayoutVersion"] : undefined;
    this.#marked = version === layoutVersion;
    if (this.#marked) return;
    const { what, location } = this.files;
    throw new DrayError(
      "UNSUPPORTED",
      `${what} has version ${JSON.stringify(version ?? null)}; Dray reads ${layoutVersion}`,
      { reference: location },
    );
  }

  async #json(file: LayoutFile, name: string, options: Cancel): Promise<unknown> {
    if (file.size > largestManifest) {
      const fault = `the ${name} has ${file.size} bytes; ${largestManifest} are allowed`;
      throw this.files.invalid(fault, new DrayError("LIMIT_EXCEEDED", fault));
    }
    const bytes = await file.load(options);
    return this.#parsed("", () => parseJson(bytes, name));
  }

  #parsed<T>(fault: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!isDrayError(error)) throw error;
      throw this.files.invalid(`${fault}${error.message}`, error);
    }
  }

  /** Any blob that is there, described as well as the layout can: by an entry, by an index among the entries, by its own bytes. */
  async #byDigest(index: Index, digest: Digest, options: Cancel): Promise<Descriptor | undefined> {
    const entry = findDigest(index, digest);
    if (entry !== undefined) return entry;
    const child = await this.#overview.of(index, options).then(
      ({ children }) => children.get(digest),
      // One that is damaged does not hide those before it.
      () => this.#childOf(index, digest, options),
    );
    return child ?? this.#describeBlob(digest, options);
  }

  async #childOf(index: Index, digest: Digest, options: Cancel): Promise<Descriptor | undefined> {
    for await (const { parsed } of this.graph.below(index.manifests, options)) {
      const child = childrenOfKind(parsed, "manifest").find((other) => other.digest === digest);
      if (child !== undefined) return child;
    }
    return undefined;
  }

  /** A descriptor made from a blob alone. Its media type is that of a manifest where it parses as one. */
  async #describeBlob(digest: Digest, options: Cancel): Promise<Descriptor | undefined> {
    const file = await this.files.find(blobFile(digest), options);
    if (file === undefined) return undefined;
    const blob: Descriptor = { mediaType: "application/octet-stream", digest, size: file.size };
    const bytes = file.size > largestManifest ? undefined : await objectIn(file, options);
    const parsed = bytes && parsedIfKnown(bytes);
    return parsed === undefined ? blob : { ...blob, mediaType: parsed.mediaType };
  }
}

/** A manifest is an object, and a layer is not worth reading on. */
const objectIn = async (file: LayoutFile, options: Cancel): Promise<Uint8Array | undefined> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read(options)) {
    if (chunks.length === 0 && chunk[0] !== 0x7b) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
