import type { Writable } from "node:stream";
import { Lazy } from "../async/index.ts";
import type {
  Cancel,
  ChecksDigests,
  ComposesManifests,
  Content,
  HasTags,
  NamesReferences,
  OfKind,
  PlannedContent,
  Plans,
  ReadOptions,
  StartsEmpty,
  Store,
  WriteOptions,
} from "../content/index.ts";
import { DrayError, throwIfAborted } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import type { Descriptor } from "../oci/index.ts";
import { type OpenSinkOptions, openSink } from "../tarball/index.ts";
import { legacyWriter } from "./legacy-writer.ts";
import { ArchiveReader } from "./reader.ts";
import { type ArchiveWriter, archiveWriter, finishDocker } from "./writer.ts";

export type ArchiveStore = Store & ChecksDigests & ComposesManifests & HasTags & NamesReferences & Plans & StartsEmpty;

export interface ArchiveOptions {
  /** The file system, for tests that let it fail. Default: the real one. */
  fs?: FileSystem;
  /** What `-` is read from. Default: standard input. */
  input?: AsyncIterable<Uint8Array>;
  /** What `-` is written to. Default: standard output. */
  output?: Writable;
}

/**
 * A tar in the form of `docker save`, as docker, podman, skopeo and crane read and write it.
 *
 * Read, it holds images by their names (`alpine` finds `docker.io/library/alpine:latest`), `""` being the only one, `@0` the first,
 * a digest that of a manifest or an image's ID. The tar may be compressed as a whole; nothing is unpacked. Archives
 * have no manifests: one is made for each image over its layers as they lie, of the same bytes each time.
 *
 * Written, it begins empty, whatever stood there before. Several images may go into one, each with `tag`; at `close` the file takes
 * its name. Until then it grows in `FILE.dray-part`, from where a later attempt goes on. `-` stands for standard input and output.
 * @throws DrayError from its functions: `NOT_FOUND`, `ARCHIVE_INVALID`, `UNSUPPORTED`, `LOCKED`, `DISK`
 * @example
 * const archive = dockerArchive("alpine.tar");
 * const descriptor = await archive.resolve("alpine:3.20");
 */
export const dockerArchive = (file: string, options: ArchiveOptions = {}): ArchiveStore =>
  new Archive(file, options, async (sinkOptions) => {
    const sink = await openSink(file, sinkOptions);
    return archiveWriter(sink, finishDocker(sink));
  });

/**
 * The form before Docker 1.10, which newer ones still load: a folder per layer, uncompressed, with a description each. Read it is
 * the same as `dockerArchive`.
 */
export const legacyArchive = (file: string, options: ArchiveOptions = {}): ArchiveStore =>
  new Archive(file, options, (sinkOptions) => legacyWriter(file, sinkOptions));

class Archive implements ArchiveStore {
  readonly checksDigests = true;
  readonly composesManifests = true;
  readonly namesReferences = true;
  readonly startsEmpty = true;
  readonly #file: string;
  readonly #options: ArchiveOptions & { fs: FileSystem };
  readonly #begin: (options: OpenSinkOptions) => Promise<ArchiveWriter>;
  readonly #reading = new Lazy<ArchiveReader>();
  readonly #writing = new Lazy<ArchiveWriter>();

  constructor(file: string, options: ArchiveOptions, begin: (options: OpenSinkOptions) => Promise<ArchiveWriter>) {
    this.#file = file;
    this.#options = { fs: nodeFiles, ...options };
    this.#begin = begin;
  }

  async resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    // What is being written takes the place of what was there, so that counts for nothing any more.
    const writer = await this.#writing.now();
    if (writer === undefined) return (await this.#reader(options.signal)).resolve(name, options);
    const found = writer.images.resolve(name);
    if (found !== undefined) return found;
    throw new DrayError("NOT_FOUND", `${this.#file} is being written and has no "${name}" yet`, { reference: name });
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    yield* (await this.#reader(options.signal)).read(descriptor, options);
  }

  async *tags(options: Cancel = {}): AsyncGenerator<string> {
    yield* (await this.#reader(options.signal)).names();
  }

  async plan(root: Descriptor, content: readonly PlannedContent[], options: Cancel = {}): Promise<void> {
    await (await this.#writer(options.signal)).plan(root, content);
  }

  async has(descriptor: Descriptor, options: Cancel & OfKind = {}): Promise<boolean> {
    return (await this.#writing.now())?.has(descriptor, options) ?? false;
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    await (await this.#writer(options.signal)).write(descriptor, content, options);
  }

  async tag(descriptor: Descriptor, name: string, options: Cancel = {}): Promise<void> {
    throwIfAborted(options.signal);
    (await this.#writer(options.signal)).images.tag(descriptor, name);
  }

  async close({ abort = false }: { abort?: boolean } = {}): Promise<void> {
    await (await this.#reading.take())?.close();
    const writer = await this.#writing.take();
    if (writer === undefined) return;
    if (abort || writer.images.isEmpty()) return writer.abandon();
    try {
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  #reader(signal: AbortSignal | undefined): Promise<ArchiveReader> {
    return this.#reading.get(() => ArchiveReader.open(this.#file, { ...this.#options, signal }));
  }

  #writer(signal: AbortSignal | undefined): Promise<ArchiveWriter> {
    return this.#writing.get(() => this.#begin({ ...this.#options, signal }));
  }
}
