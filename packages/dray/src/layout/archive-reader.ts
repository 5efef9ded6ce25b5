import { type Cancel, collect, type ReadableStore, type ReadOptions, sized, verified } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  hexOf,
  type Index,
  isDigest,
  isObject,
  largestManifest,
  parseJson,
  parseManifest,
} from "../oci/index.ts";
import type { PlacedEntry } from "../tar/index.ts";
import { Members, type OpenTarOptions, openTar, type TarFile } from "../tarball/index.ts";
import { findNamed } from "./entries.ts";
import { LayoutGraph } from "./graph.ts";
import { asIndex, layoutVersion } from "./index-file.ts";
import { onlyEntry, type Place, unknownName } from "./names.ts";

/** File of a blob in a layout, wherever that lies. */
export const blobFile = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;

/** A layout in a tar, to read from. */
export class LayoutArchiveReader implements ReadableStore {
  readonly index: Index;
  readonly graph: LayoutGraph;
  readonly #tar: TarFile;
  readonly #members: Members;
  readonly #place: Place;

  private constructor(tar: TarFile, members: Members, index: Index) {
    this.#tar = tar;
    this.#members = members;
    this.index = index;
    this.graph = new LayoutGraph(this);
    this.#place = { what: tar.what, location: `oci-archive:${tar.what}` };
  }

  /** @throws DrayError `NOT_FOUND`, `ARCHIVE_INVALID`, `UNSUPPORTED`, `DISK` */
  static async open(path: string, options: OpenTarOptions): Promise<LayoutArchiveReader> {
    const tar = await openTar(path, options);
    try {
      const members = new Members(tar);
      return new LayoutArchiveReader(tar, members, await readIndex(tar, members, options.signal));
    } catch (error) {
      await tar.close();
      throw error;
    }
  }

  async resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    if (name === "") return onlyEntry(this.#place, this.index, this.graph, options);
    const found = isDigest(name) ? await this.#byDigest(name, options) : findNamed(this.index, name);
    if (found === undefined) throw unknownName(this.#place, this.index, name);
    return found;
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { offset = 0, verify = true, signal } = options;
    const entry = await this.#members.find(blobFile(descriptor.digest), signal);
    if (entry === undefined) throw unknownName(this.#place, this.index, descriptor.digest);
    const chunks = this.#tar.read(entry, { offset, signal });
    if (offset > 0 || !verify) return yield* sized(chunks, descriptor, offset);
    try {
      yield* verified(chunks, descriptor);
    } catch (error) {
      if (!isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH")) throw error;
      throw new DrayError(error.code, `${this.#tar.what}, entry "${entry.name}": ${error.message}`, {
        reference: descriptor.digest,
        cause: error,
      });
    }
  }

  close(): Promise<void> {
    return this.#tar.close();
  }

  async #byDigest(digest: Digest, options: Cancel): Promise<Descriptor | undefined> {
    const listed = this.index.manifests.find((entry) => entry.digest === digest);
    if (listed !== undefined) return listed;
    for await (const { facts } of this.graph.below(this.index.manifests, options)) {
      const child = facts.manifests.find((other) => other.digest === digest);
      if (child !== undefined) return child;
    }
    const entry = await this.#members.find(blobFile(digest), options.signal);
    return entry === undefined ? undefined : this.#describe(digest, entry, options);
  }

  /** A descriptor made from a blob alone. Its media type is that of a manifest where it parses as one. */
  async #describe(digest: Digest, entry: PlacedEntry, { signal }: Cancel): Promise<Descriptor> {
    const blob: Descriptor = { mediaType: "application/octet-stream", digest, size: entry.size };
    const [first] = await collect(this.#tar.read(entry, { length: 1, signal }), 1, entry.name);
    if (first !== 0x7b || entry.size > largestManifest) return blob;
    try {
      const bytes = await collect(this.#tar.read(entry, { signal }), largestManifest, entry.name);
      return { ...blob, mediaType: parseManifest(bytes).mediaType };
    } catch (error) {
      if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) return blob;
      throw error;
    }
  }
}

const readIndex = async (tar: TarFile, members: Members, signal: AbortSignal | undefined): Promise<Index> => {
  const marker = await readJson(tar, members, "oci-layout", signal);
  if (marker !== undefined && !(isObject(marker) && marker["imageLayoutVersion"] === layoutVersion))
    throw new DrayError("UNSUPPORTED", `${tar.what} holds a layout that is not of version ${layoutVersion}`);
  const index = await readJson(tar, members, "index.json", signal);
  if (index === undefined) throw noIndex(tar.what, members);
  return inArchive(tar.what, () => asIndex(index));
};

const readJson = async (
  tar: TarFile,
  members: Members,
  path: string,
  signal: AbortSignal | undefined,
): Promise<unknown> => {
  const entry = await members.find(path, signal);
  if (entry === undefined) return undefined;
  const bytes = await collect(tar.read(entry, { signal }), largestManifest, `${path} in ${tar.what}`);
  return inArchive(tar.what, () => parseJson(bytes, path));
};

const inArchive = <T>(what: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!isDrayError(error)) throw error;
    const code = error.code === "LIMIT_EXCEEDED" ? error.code : "ARCHIVE_INVALID";
    throw new DrayError(code, `${what}: index.json or oci-layout is damaged: ${error.message}`, { cause: error });
  }
};

const noIndex = (what: string, members: Members): DrayError =>
  new DrayError(
    "ARCHIVE_INVALID",
    members.has("manifest.json")
      ? `${what} is a docker archive; read it as docker-archive:${what}`
      : `${what} is no OCI archive: it has no index.json`,
  );
