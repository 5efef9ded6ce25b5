import { availableParallelism } from "node:os";
import { LazyMap, Semaphore } from "../async/index.ts";
import {
  bytesContent,
  type Cancel,
  checked,
  collect,
  type HasTags,
  type Holds,
  type ReadableStore,
  type ReadOptions,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, errorIn, firstOf, isDrayError } from "../errors.ts";
import { type Descriptor, type Digest, isDigest, largestManifest, parseJson } from "../oci/index.ts";
import type { OpenTar } from "../tarball/index.ts";
import { type FoundImage, findImage, type Held, type OpenArchive } from "./images.ts";
import { manifestFile, parseSavedImages, type SavedImage } from "./manifest-json.ts";
import { inFull } from "./repo-tags.ts";

/** Layers of one archive that are hashed at the same time, at most. */
const layersHashedAtOnce = 4;

/** Docker archive to read from, as a store. What it holds is looked at when it is asked for. */
export class DockerArchiveReader implements ReadableStore, HasTags, Holds {
  readonly #archive: OpenArchive;
  readonly #saved: readonly SavedImage[];
  #byName: ReadonlyMap<string, SavedImage> | undefined;
  readonly #found = new LazyMap<SavedImage, FoundImage>();

  constructor(opened: OpenTar, saved: readonly SavedImage[]) {
    const hashing = new Semaphore(Math.min(layersHashedAtOnce, availableParallelism()));
    this.#archive = { ...opened, digests: new LazyMap(), hashing };
    this.#saved = saved;
  }

  async *tags(): AsyncGenerator<string> {
    yield* this.#names();
  }

  /** Every name in the archive, each once. */
  /** Images by what their names mean; the first of several. */
  #named(): ReadonlyMap<string, SavedImage> {
    this.#byName ??= new Map(
      this.#saved.flatMap((saved) => (saved.repoTags ?? []).map((tag) => [inFull(tag), saved] as const)).reverse(),
    );
    return this.#byName;
  }

  #names(): string[] {
    return [...new Set(this.#saved.flatMap(({ repoTags }) => repoTags ?? []))].sort();
  }

  /** `""` is the only image, `@0` the first one, a digest that of a manifest or an image's ID. */
  async resolve(name: string, { signal }: Cancel = {}): Promise<Descriptor> {
    if (isDigest(name)) return this.#byDigest(name, signal);
    const position = /^@([0-9]+)$/.exec(name)?.[1];
    const saved =
      name === ""
        ? this.#only()
        : position !== undefined
          ? this.#saved[Number(position)]
          : this.#named().get(inFull(name));
    if (saved === undefined) throw this.#unknown(name);
    return (await this.#image(saved, signal)).manifest;
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { offset = 0, length, signal } = options;
    const held = await this.#locate(descriptor.digest, signal);
    const { tar } = this.#archive;
    const [where, chunks] = ArrayBuffer.isView(held)
      ? [tar.what, bytesContent(held).open({ offset })]
      : [`${tar.what}, entry "${held.name}"`, tar.read(held, defined({ offset, length, signal }))];
    const { digest } = descriptor;
    yield* checked(chunks, descriptor, options, (error) => errorIn(where, error, { reference: digest }));
  }

  async holds({ digest, size }: Descriptor, { signal }: Cancel = {}): Promise<boolean> {
    const held = await this.#find(digest, signal);
    return (ArrayBuffer.isView(held) ? held.byteLength : held?.size) === size;
  }

  #image(saved: SavedImage, signal: AbortSignal | undefined): Promise<FoundImage> {
    return this.#found.get(saved, () => findImage(this.#archive, saved, signal));
  }

  /** Several entries for one image, with a name each, are one image. */
  #only(): SavedImage | undefined {
    const keys = new Set(this.#saved.map(({ config, layers }) => JSON.stringify([config, layers])));
    if (keys.size <= 1) return this.#saved[0];
    const { what, path } = this.#archive.tar;
    throw new DrayError(
      "USAGE",
      `${what} holds ${keys.size} images: ${this.#list()}; say which: docker-archive:${path}:${this.#names()[0] ?? "@0"}`,
      { reference: what },
    );
  }

  async #byDigest(digest: Digest, signal: AbortSignal | undefined): Promise<Descriptor> {
    for (const saved of this.#saved) {
      const { manifest, id } = await this.#image(saved, signal);
      if (manifest.digest === digest || id === digest) return manifest;
    }
    throw this.#unknown(digest);
  }

  async #locate(digest: Digest, signal: AbortSignal | undefined): Promise<Held> {
    const held = await this.#find(digest, signal);
    if (held === undefined) throw this.#unknown(digest);
    return held;
  }

  async #find(digest: Digest, signal: AbortSignal | undefined): Promise<Held | undefined> {
    for (const saved of this.#saved) {
      const held = (await this.#image(saved, signal)).held.get(digest);
      if (held !== undefined) return held;
    }
    return undefined;
  }

  #unknown(name: string): DrayError {
    const { what } = this.#archive.tar;
    const has = this.#saved.length === 0 ? "it holds no image" : `it holds ${this.#list()}`;
    return new DrayError("NOT_FOUND", `${what} has no ${name === "" ? "image" : `"${name}"`}; ${has}`, {
      reference: name === "" ? what : `${what}:${name}`,
    });
  }

  #list(): string {
    const names = this.#saved.map(({ repoTags }, i) => (repoTags?.length ? repoTags.join(" = ") : `@${i}`));
    return firstOf(names);
  }
}

/** @throws DrayError `ARCHIVE_INVALID`, `UNSUPPORTED`, `DISK` */
export const openImages = async (opened: OpenTar, { signal }: Cancel): Promise<DockerArchiveReader> => {
  const { tar, members } = opened;
  const entry = await members.find(manifestFile, signal);
  if (entry === undefined) throw noList(opened);
  const bytes = await collect(tar.read(entry, { signal }), largestManifest, `${manifestFile} in ${tar.what}`);
  try {
    return new DockerArchiveReader(opened, parseSavedImages(parseJson(bytes, manifestFile)));
  } catch (error) {
    throw errorIn(tar.what, error, isDrayError(error, "LIMIT_EXCEEDED") ? {} : { code: "ARCHIVE_INVALID" });
  }
};

const noList = ({ tar: { what, path }, members }: OpenTar): DrayError => {
  if (members.has("index.json"))
    return new DrayError("ARCHIVE_INVALID", `${what} is an OCI archive; read it as oci-archive:${path}`);
  if (members.has("repositories"))
    return new DrayError(
      "UNSUPPORTED",
      `${what} was saved by a Docker older than 1.10, without ${manifestFile}; load it into Docker and save it again`,
    );
  if (members.isEmpty()) return new DrayError("ARCHIVE_INVALID", `${what} is empty: there is no archive in it`);
  const others = "nor the index.json of an OCI archive";
  return new DrayError(
    "ARCHIVE_INVALID",
    `${what} holds no image: it has neither the ${manifestFile} of docker save ${others}; check the path`,
  );
};
