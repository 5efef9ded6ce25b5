import { bytesContent, type Cancel, collect } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { refuseNumber } from "../../numbers.ts";
import type { Digest } from "../../oci/index.ts";
import type { Image, Layer } from "../views.ts";
import { LayeredTree, type Place, type Visit } from "./layered-tree.ts";
import type { EntryFacts } from "./records.ts";
import { behindLink, longestPath, rooted } from "./rooted.ts";

/** A file, directory or whatever else a container of an image finds at a path. */
export interface FileEntry extends Omit<EntryFacts, "offset"> {
  /** From the root: `/etc/passwd`. */
  readonly path: string;
  /** The layer that has it; of a directory that no layer has an entry for, the uppermost with something in it. */
  readonly layer: Digest;
}

/** How the files of an image are come to. */
export interface ImageFilesOptions extends Cancel {
  /** What errors call the image. Default: its digest. */
  readonly called?: string | undefined;
}

/** How a file of an image is read. */
export interface ReadFileOptions extends ImageFilesOptions {
  /** Bytes that the file may have. Default 64 MiB. */
  readonly limit?: number | undefined;
}

const usualLimit = 64 * 1024 * 1024;
/** Of a file that is passed on piece by piece, so much is kept so that its layer is not read twice. */
const keptWhole = 4 * 1024 * 1024;
/** As Linux follows. */
const mostLinks = 40;

/**
 * The files of an image as a container would see them: of the uppermost layer that has one, unless a layer above has taken it away. Links are
 * followed inside the image and never lead out. Layers are read from the top down, none below what was asked for, each once: all of it, or of
 * eStargz and zstd:chunked the table of contents, and what is read of files.
 */
export class ImageFiles {
  readonly #image: Image;
  readonly #tree: LayeredTree;
  readonly #called: string;
  /** Of files that were asked for when their layer was read, by their records: so that it is not read twice. */
  readonly #bodies = new Map<number, Uint8Array>();

  /** @param layers those of the image, bottom first */
  constructor(image: Image, layers: readonly Layer[], { called, ...options }: ImageFilesOptions = {}) {
    this.#image = image;
    this.#called = called ?? image.descriptor.digest;
    this.#tree = new LayeredTree(layers.toReversed(), options);
  }

  /**
   * What is at a path. A link at its end is followed, unless `follow` is `false`; one on the way always.
   * @throws DrayError `NOT_FOUND`, and what reading layers throws
   */
  async stat(path: string, { follow = true }: { readonly follow?: boolean } = {}): Promise<FileEntry> {
    return this.#entry(await this.#resolve(path, { follow }));
  }

  /**
   * The same, or `undefined` where there is nothing, so that what is missing in the image is told from a layer that is missing.
   * @throws DrayError `NOT_FOUND` where a file or a circle of links is in the way, and what reading layers throws
   */
  async find(path: string, { follow = true }: { readonly follow?: boolean } = {}): Promise<FileEntry | undefined> {
    const place = await this.#lookUp(path, { follow });
    return place === undefined ? undefined : this.#entry(place);
  }

  /**
   * What is in a directory, sorted by name; of anything else, itself.
   * @throws DrayError `NOT_FOUND`, and what reading layers throws
   */
  async list(path = "/"): Promise<FileEntry[]> {
    const place = await this.#resolve(path, { follow: true });
    if (!isDirectory(this.#tree, place)) return [await this.#entry(place)];
    const found: FileEntry[] = [];
    for (const child of await this.#children(place)) found.push(await this.#entry(child));
    return found;
  }

  /**
   * What is at a path and all below it, a directory before what is in it, sorted by name. Links are told, not followed, but for one at the end of
   * the path itself.
   * @throws DrayError `NOT_FOUND`, and what reading layers throws
   */
  async *walk(path = "/"): AsyncGenerator<FileEntry> {
    const waiting = [await this.#resolve(path, { follow: true })];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      yield await this.#entry(place);
      if (!isDirectory(this.#tree, place)) continue;
      for (const child of (await this.#children(place)).reverse()) waiting.push(child);
    }
  }

  /**
   * All bytes of a file.
   * @throws DrayError `NOT_FOUND`, `USAGE` for a directory, `LIMIT_EXCEEDED`, `UNSUPPORTED` for a device, and what reading layers throws
   */
  async read(path: string, { limit = usualLimit }: Pick<ReadFileOptions, "limit"> = {}): Promise<Uint8Array> {
    refuseNumber("limit", limit, { from: 0 });
    const file = await this.#file(path, limit);
    if (this.#tree.records.facts(file.record).size > limit)
      throw new DrayError("LIMIT_EXCEEDED", `file ${path} is larger than ${limit} bytes`, {
        reference: this.#image.descriptor.digest,
      });
    return this.#bodies.get(file.record) ?? collect(this.#tree.open(file), limit, `file ${path}`);
  }

  /**
   * The bytes of a file, however many. Their layer is checked when its end is reached, which is when these end.
   * @throws DrayError as `read`, but for `LIMIT_EXCEEDED`
   */
  async open(path: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#open(await this.#file(path, keptWhole));
  }

  /**
   * The same, or `undefined` where there is nothing.
   * @throws DrayError as `open`; `NOT_FOUND` where a file or a circle of links is in the way
   */
  async openIfThere(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const file = await this.#fileIfThere(path, keptWhole);
    return file === undefined ? undefined : this.#open(file);
  }

  #open(file: Place): AsyncIterable<Uint8Array> {
    const kept = this.#bodies.get(file.record);
    return kept === undefined ? this.#tree.open(file) : bytesContent(kept).open();
  }

  /** The entry that has the bytes of a file. */
  async #file(path: string, limit: number): Promise<Place> {
    const file = await this.#fileIfThere(path, limit);
    if (file === undefined) throw this.#missing(path, "");
    return file;
  }

  async #fileIfThere(path: string, limit: number): Promise<Place | undefined> {
    const called = this.#called;
    let place = await this.#lookUp(path, { follow: true, limit });
    if (place === undefined) return undefined;
    for (let links = 0; links <= mostLinks; links++) {
      if (isDirectory(this.#tree, place))
        throw new DrayError("USAGE", `${path} is a directory in ${called}`, {
          reference: this.#image.descriptor.digest,
        });
      const type = this.#tree.records.type(place.record);
      if (type === "file" || type === "other") return place;
      if (type !== "hardlink") throw new DrayError("UNSUPPORTED", `${path} is a ${type} in ${called}`);
      place = await this.#linked(place, path, { follow: true, limit });
    }
    throw this.#missing(path, ": its links go round in circles");
  }

  /** What a hard link stands for, which was there when its layer was made, whatever came above. */
  #linked(link: Place, path: string, options: Following): Promise<Place> {
    const { linkName } = this.#tree.records.facts(link.record);
    return this.#resolve(linkName, { ...options, from: this.#tree.records.layer(link.record), called: path });
  }

  async #resolve(path: string, options: Following): Promise<Place> {
    const place = await this.#lookUp(path, options);
    if (place === undefined) throw this.#missing(options.called ?? path, "");
    return place;
  }

  /** What is at a path; `undefined` where nothing is. */
  async #lookUp(path: string, { follow, from = 0, limit = 0, called = path }: Following): Promise<Place | undefined> {
    let wanted = rooted(path);
    for (let links = 0; links <= mostLinks; links++) {
      if (wanted.length > longestPath) throw this.#missing(called, ": its path is too long");
      const found = await this.#tree.find(wanted, from, limit > 0 ? this.#keeping(wanted, limit) : undefined);
      if (found === undefined) return undefined;
      const rest = found.rest.join("/");
      if (isDirectory(this.#tree, found)) return found;
      const { type, linkName } = this.#tree.records.facts(found.record);
      if (type === "symlink" && (follow || rest !== "")) {
        wanted = behindLink(this.#tree.names.path(found.node), linkName, found.rest);
        continue;
      }
      if (rest !== "") throw this.#missing(called, `: ${this.#tree.names.path(found.node)} is no directory`);
      return found;
    }
    throw this.#missing(called, ": its links go round in circles");
  }

  /** Keeps a file of that path and up to that size. */
  #keeping(wanted: string, limit: number): Visit {
    return async (record, path, { type, size, body }) => {
      if (path !== wanted) return;
      this.#bodies.delete(record);
      if (body === undefined || size > limit || (type !== "file" && type !== "other")) return;
      this.#bodies.set(record, await collect(body, limit, `file ${path}`));
    };
  }

  /** Sorted by name. */
  async #children(directory: Place): Promise<Place[]> {
    const tree = this.#tree;
    while (!tree.isCertain(directory.until)) await tree.readNext();
    const found: { readonly name: string; readonly place: Place }[] = [];
    for (const node of tree.names.children(directory.node)) {
      const { kind, record } = tree.look(node, 0, directory.until);
      if (kind !== "entry" && kind !== "implied") continue;
      const until = tree.below(node, 0, directory.until);
      found.push({ name: tree.names.name(node), place: { node, kind, record, until, rest: [] } });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ place }) => place);
  }

  async #entry({ node, kind, record, until }: Place): Promise<FileEntry> {
    const tree = this.#tree;
    // Whether a layer below has an entry for a directory is known when that was read.
    while (kind === "implied" && !tree.isCertain(until)) await tree.readNext();
    const seen = kind === "implied" ? tree.look(node, 0, until) : { kind, record };
    const layer = tree.layers[tree.records.layer(seen.record)]?.descriptor.digest as Digest;
    const path = tree.names.path(node);
    if (seen.kind !== "entry") return { ...plainDirectory, path, layer };
    const { offset: _offset, ...facts } = tree.records.facts(seen.record);
    if (facts.type !== "hardlink") return { ...facts, path, layer };
    const size = await this.#sizeOf({ node, kind, record: seen.record, until, rest: [] }, path);
    return { ...facts, size, linkName: rooted(facts.linkName), path, layer };
  }

  /** The bytes behind a hard link; 0 where that leads nowhere. */
  async #sizeOf(link: Place, path: string): Promise<number> {
    let place = link;
    for (let links = 0; links <= mostLinks; links++) {
      if (isDirectory(this.#tree, place)) return 0;
      const { type, size } = this.#tree.records.facts(place.record);
      if (type !== "hardlink") return size;
      try {
        place = await this.#linked(place, path, { follow: false });
      } catch (error) {
        if (error instanceof DrayError && error.code === "NOT_FOUND") return 0;
        throw error;
      }
    }
    return 0;
  }

  #missing(path: string, why: string): DrayError {
    return new DrayError("NOT_FOUND", `${this.#called} has no file ${path}${why}`, {
      reference: this.#image.descriptor.digest,
    });
  }
}

interface Following {
  readonly follow: boolean;
  /** The uppermost layer that counts. */
  readonly from?: number;
  /** Bytes of a file that are kept when its layer is read. */
  readonly limit?: number;
  /** What messages call the path. */
  readonly called?: string;
}

/** What a directory is that no layer has an entry for. */
const plainDirectory: Omit<FileEntry, "path" | "layer"> = {
  type: "directory",
  size: 0,
  linkName: "",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: {},
};

const isDirectory = ({ records }: LayeredTree, { kind, record }: Place): boolean =>
  kind === "implied" || records.type(record) === "directory";

/**
 * The files of an image, for whoever asks more than once: what was read of its layers is kept.
 * @throws DrayError what reading manifest and configuration throws
 * @example
 * const files = await imageFiles(image);
 * for (const { path, size } of await files.list("/etc")) console.log(path, size);
 * for await (const chunk of await files.open("/usr/bin/app")) process.stdout.write(chunk);
 */
export const imageFiles = async (image: Image, options: ImageFilesOptions = {}): Promise<ImageFiles> =>
  new ImageFiles(image, await image.layers(), options);

/**
 * What is in a directory of an image, sorted by name; of anything else, itself.
 * @param path from the root of the image; a leading slash may be left out. Default `/`
 * @throws DrayError `NOT_FOUND`, and what reading layers throws
 * @example for (const { path, type, size } of await list(image, "/etc")) console.log(type, size, path);
 */
export const list = async (image: Image, path = "/", options: ImageFilesOptions = {}): Promise<FileEntry[]> =>
  (await imageFiles(image, options)).list(path);

/**
 * Everything in an image, or below a path of it: a directory before what is in it, sorted by name. Links are told, not followed.
 * @throws DrayError `NOT_FOUND`, and what reading layers throws
 * @example for await (const { path, mode } of walk(image)) if (mode & 0o4000) console.log(path, "is set-uid");
 */
export async function* walk(image: Image, path = "/", options: ImageFilesOptions = {}): AsyncGenerator<FileEntry> {
  yield* (await imageFiles(image, options)).walk(path);
}

/**
 * A file as a container of the image would see it: of the uppermost layer that has it, unless a layer above has taken it away, with links followed
 * inside the image. Layers are read from the top down, each to its end, so that its digest is checked, and none below the file's. Of eStargz and
 * zstd:chunked no more is read than the table of contents and the file, which have digests of their own.
 * @param path from the root of the image; a leading slash may be left out
 * @throws DrayError `NOT_FOUND`, `USAGE` for a directory, `LIMIT_EXCEEDED`, `UNSUPPORTED` for a device, and what reading layers throws
 * @example const release = new TextDecoder().decode(await readFile(image, "/etc/os-release"));
 */
export const readFile = async (image: Image, path: string, options: ReadFileOptions = {}): Promise<Uint8Array> =>
  (await imageFiles(image, options)).read(path, options);
