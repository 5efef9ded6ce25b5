import type { Writable } from "node:stream";
import { Lazy } from "../async/index.ts";
import type {
  Cancel,
  ChecksDigests,
  Content,
  HasReferrers,
  HasTags,
  OfKind,
  PlannedContent,
  Plans,
  ReadOptions,
  StartsEmpty,
  Store,
  WriteOptions,
} from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { type Descriptor, isDigest } from "../oci/index.ts";
import { openSink } from "../tarball/index.ts";
import { LayoutArchiveReader } from "./archive-reader.ts";
import { LayoutArchiveWriter } from "./archive-writer.ts";
import { findNamed, listNames } from "./entries.ts";
import { referrersIn } from "./referrers.ts";

export type OciArchiveStore = Store & ChecksDigests & HasReferrers & HasTags & Plans & StartsEmpty;

export interface OciArchiveOptions {
  /** The file system, for tests that let it fail. Default: the real one. */
  fs?: FileSystem;
  /** What `-` is read from. Default: standard input. */
  input?: AsyncIterable<Uint8Array>;
  /** What `-` is written to. Default: standard output. */
  output?: Writable;
}

/**
 * An OCI layout in a tar, as skopeo, podman and buildx write it, and Docker since version 25. Names are those of a layout. Read, nothing
 * is unpacked, and the tar may be compressed as a whole. Written, it begins empty, whatever stood there before, grows in
 * `FILE.dray-part`, from where a later attempt goes on, and takes its name at `close`. `-` stands for standard input and output.
 * @throws DrayError from its functions: `NOT_FOUND`, `ARCHIVE_INVALID`, `UNSUPPORTED`, `LOCKED`, `DISK`
 * @example
 * const archive = ociArchive("bundle.tar");
 * const descriptor = await archive.resolve("v1");
 */
export const ociArchive = (file: string, options: OciArchiveOptions = {}): OciArchiveStore =>
  new OciArchive(file, options);

class OciArchive implements OciArchiveStore {
  readonly checksDigests = true;
  readonly startsEmpty = true;
  readonly #file: string;
  readonly #options: OciArchiveOptions & { fs: FileSystem };
  readonly #reading = new Lazy<LayoutArchiveReader>();
  readonly #writing = new Lazy<LayoutArchiveWriter>();

  constructor(file: string, options: OciArchiveOptions) {
    this.#file = file;
    this.#options = { fs: nodeFiles, ...options };
  }

  async resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    // What is being written takes the place of what was there, so that counts for nothing any more.
    const writer = await this.#writing.now();
    if (writer === undefined) return (await this.#reader(options.signal)).resolve(name, options);
    const found = isDigest(name)
      ? writer.index.manifests.find(({ digest }) => digest === name)
      : findNamed(writer.index, name);
    if (found !== undefined) return found;
    throw new DrayError("NOT_FOUND", `${this.#file} is being written and has no "${name}" yet`, { reference: name });
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    yield* (await this.#reader(options.signal)).read(descriptor, options);
  }

  async *tags(options: Cancel = {}): AsyncGenerator<string> {
    yield* listNames((await this.#reader(options.signal)).index);
  }

  async *referrers(subject: Descriptor, options: Cancel & { artifactType?: string } = {}): AsyncGenerator<Descriptor> {
    const { index, graph } = await this.#reader(options.signal);
    yield* referrersIn(graph, index.manifests, subject, options);
  }

  async plan(_root: Descriptor, content: readonly PlannedContent[], options: Cancel = {}): Promise<void> {
    await (await this.#writer(options.signal)).plan(content);
  }

  async has(descriptor: Descriptor, options: Cancel & OfKind = {}): Promise<boolean> {
    return (await this.#writing.now())?.has(descriptor, options) ?? false;
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    await (await this.#writer(options.signal)).write(descriptor, content, options);
  }

  async tag(descriptor: Descriptor, name: string, options: Cancel = {}): Promise<void> {
    await (await this.#writer(options.signal)).tag(descriptor, name, options);
  }

  async close({ abort = false }: { abort?: boolean } = {}): Promise<void> {
    await (await this.#reading.take())?.close();
    await (await this.#writing.take())?.close({ abort });
  }

  #reader(signal: AbortSignal | undefined): Promise<LayoutArchiveReader> {
    return this.#reading.get(() => LayoutArchiveReader.open(this.#file, { ...this.#options, signal }));
  }

  #writer(signal: AbortSignal | undefined): Promise<LayoutArchiveWriter> {
    return this.#writing.get(
      async () => new LayoutArchiveWriter(await openSink(this.#file, { ...this.#options, signal })),
    );
  }
}
