import type { Writable } from "node:stream";
import { Lazy } from "../async/index.ts";
import {
  bytesContent,
  type Cancel,
  type ChecksDigests,
  type Content,
  collect,
  type HasTags,
  type Holds,
  isManifest,
  type OfKind,
  type PlannedContent,
  type Plans,
  type ReadableStore,
  type ReadOptions,
  type StartsEmpty,
  type Store,
  transfersChunks,
  verified,
  type WriteOptions,
} from "../content/index.ts";
import { DrayError, throwIfAborted } from "../errors.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { type Descriptor, largestManifest } from "../oci/index.ts";
import { Members } from "./members.ts";
import type { TarSink } from "./sink.ts";
import { type OpenTarOptions, openTar, type TarFile } from "./tar-file.ts";

/** A store in a tar file. Written to, it begins empty. */
export type ArchiveStore = Store & ChecksDigests & HasTags & Holds & Plans & StartsEmpty;

/** Where an archive is read from and written to. */
export interface ArchiveOptions {
  /** The file system, for tests that let it fail. Default: the real one. */
  fs?: FileSystem;
  /** What `-` is read from. Default: standard input. */
  input?: AsyncIterable<Uint8Array>;
  /** What `-` is written to. Default: standard output. */
  output?: Writable;
  /** The tar, where it is open already: the store takes it over once it has found its form of archive in it. Default: it is opened when it is first read. */
  tar?: TarFile;
}

/** What lies in an open tar, as a store. */
export type ArchiveReader = ReadableStore & HasTags & Holds;

/** A tar that is open. */
export interface OpenTar {
  readonly tar: TarFile;
  readonly members: Members;
}

/** What a form of archive remembers of the images that are put into one, until it lists them at the end. */
export interface Catalogue {
  /** Whether manifests lie in the archive, as other content does. */
  readonly holdsManifests: boolean;
  /** Name of the entry of content, by what its descriptor says. */
  entryName(descriptor: Descriptor): string;
  /** An image that will come. @throws DrayError `UNSUPPORTED` for what this form cannot hold */
  expect(root: Descriptor): void;
  /**
   * A manifest that came.
   * @returns what whoever wants the archive should know of it
   * @throws DrayError `UNSUPPORTED`, `MANIFEST_INVALID`
   */
  add(descriptor: Descriptor, bytes: Uint8Array): string | undefined;
  /** Whether a manifest came. One that an earlier attempt left does not count: who finds one looks no further, and others may be missing. */
  has(descriptor: Descriptor): boolean;
  tag(descriptor: Descriptor, name: string): void;
  /** What a name stands for in what was written so far. */
  resolve(name: string): Descriptor | undefined;
  /** Whether there is nothing to make an archive of. */
  isEmpty(): boolean;
}

/** An archive that is being written: content goes into the tar, and what manifests say into the catalogue. */
export interface ArchiveWriter {
  readonly sink: Pick<TarSink, "plan" | "has" | "write">;
  readonly catalogue: Catalogue;
  /** Ends it: now it stands under its name. */
  finish(): Promise<void>;
  /** Lets go of it, keeping what a later attempt can use. */
  abandon(): Promise<void>;
}

/** What tells one form of archive from another: how an open tar is read as images, and how one is made. */
export interface ArchiveForm<R extends ArchiveReader> {
  /** @throws DrayError `ARCHIVE_INVALID`, `UNSUPPORTED` for a tar of another form; the tar is closed then */
  openReader(opened: OpenTar, options: Cancel): Promise<R>;
  /** @throws DrayError `LOCKED`, `DISK`, `LOCATION_INVALID` */
  openWriter(file: string, options: OpenTarOptions): Promise<ArchiveWriter>;
}

/** Store in a tar file, whatever its form; reader and writer are opened when first needed, and let go of at `close`. */
export class TarStore<R extends ArchiveReader> implements ArchiveStore {
  readonly checksDigests = true;
  readonly startsEmpty = true;
  /** What went out as a stream is gone. */
  readonly keepsArrived: "parts" | undefined;
  readonly #file: string;
  readonly #options: ArchiveOptions & { fs: FileSystem };
  readonly #form: ArchiveForm<R>;
  readonly #reading = new Lazy<{ readonly tar: TarFile; readonly reader: R }>();
  readonly #writing = new Lazy<ArchiveWriter>();

  constructor(file: string, options: ArchiveOptions, form: ArchiveForm<R>) {
    this.#file = file;
    this.keepsArrived = file === "-" ? undefined : "parts";
    this.#options = { fs: nodeFiles, ...options };
    this.#form = form;
  }

  async resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    // What is being written takes the place of what was there, so that counts for nothing any more.
    const writer = await this.#writing.now();
    if (writer === undefined) return (await this.reader(options)).resolve(name, options);
    const found = writer.catalogue.resolve(name);
    if (found !== undefined) return found;
    throw new DrayError("NOT_FOUND", `${this.#file} is being written and has no "${name}" yet`, { reference: name });
  }

  static {
    // oxlint-disable-next-line typescript/unbound-method -- it is marked, not called
    transfersChunks(TarStore.prototype.read);
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    yield* (await this.reader(options)).read(descriptor, options);
  }

  async *tags(options: Cancel = {}): AsyncGenerator<string> {
    yield* (await this.reader(options)).tags(options);
  }

  async holds(descriptor: Descriptor, options: Cancel = {}): Promise<boolean> {
    return (await this.reader(options)).holds(descriptor, options);
  }

  async plan(root: Descriptor, content: readonly PlannedContent[], options: Cancel = {}): Promise<void> {
    const { sink, catalogue } = await this.#writer(options);
    catalogue.expect(root);
    const held = content.filter(({ kind }) => kind === "blob" || catalogue.holdsManifests);
    await sink.plan(held.map(({ descriptor }) => ({ descriptor, name: catalogue.entryName(descriptor) })));
  }

  async has(descriptor: Descriptor, options: Cancel & OfKind = {}): Promise<boolean> {
    const writer = await this.#writing.now();
    if (writer === undefined) return false;
    return isManifest(descriptor, options) ? writer.catalogue.has(descriptor) : writer.sink.has(descriptor, options);
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    const { sink, catalogue } = await this.#writer(options);
    const named = { descriptor, name: catalogue.entryName(descriptor) };
    if (!isManifest(descriptor, options)) return sink.write(named, content, options);
    const chunks = verified(content.open({ signal: options.signal }), descriptor);
    const bytes = await collect(chunks, largestManifest, `manifest ${descriptor.digest}`);
    if (catalogue.holdsManifests) await sink.write(named, bytesContent(bytes), options);
    const message = catalogue.add(descriptor, bytes);
    if (message !== undefined) options.onEvent?.({ type: "warning", message });
  }

  async tag(descriptor: Descriptor, name: string, options: Cancel = {}): Promise<void> {
    throwIfAborted(options.signal);
    // Nothing begins to be written for the sake of a name: what is there would count for nothing, and an empty part would be left.
    const writer = await this.#writing.now();
    if (writer === undefined)
      throw new DrayError(
        "UNSUPPORTED",
        `${this.#file} cannot be given another name "${name}": archives are written whole; copy the image to a new one`,
        { reference: descriptor.digest },
      );
    if (!(await this.has(descriptor, options)))
      throw new DrayError("NOT_FOUND", `cannot name ${descriptor.digest} "${name}": it was not written`, {
        reference: descriptor.digest,
      });
    writer.catalogue.tag(descriptor, name);
  }

  async close({ abort = false }: { abort?: boolean } = {}): Promise<void> {
    await (await this.#reading.take())?.tar.close();
    const writer = await this.#writing.take();
    if (writer === undefined) return;
    if (abort || writer.catalogue.isEmpty()) return writer.abandon();
    try {
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  /** What lies in the file now. */
  protected async reader({ signal }: Cancel): Promise<R> {
    const { reader } = await this.#reading.get(async () => {
      const { tar: given } = this.#options;
      const tar = given ?? (await openTar(this.#file, { ...this.#options, signal }));
      try {
        const members = new Members(tar);
        return { tar, reader: await this.#form.openReader({ tar, members }, { signal }) };
      } catch (error) {
        // Whoever opened it may look for another form.
        if (given === undefined) await tar.close();
        throw error;
      }
    });
    return reader;
  }

  #writer({ signal }: Cancel): Promise<ArchiveWriter> {
    return this.#writing.get(() => this.#form.openWriter(this.#file, { ...this.#options, signal }));
  }
}
