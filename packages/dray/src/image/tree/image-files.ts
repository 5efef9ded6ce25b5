import { bytesContent, type Cancel, collect } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { refuseNumber } from "../../numbers.ts";
import type { Digest } from "../../oci/index.ts";
import type { Image, Layer } from "../views.ts";
import { copies } from "./layer-files.ts";
import { LayeredTree, type Visit } from "./layered-tree.ts";
import { longestPath, mostLinks, stepsOf } from "./names.ts";
import { type Node, rootNode } from "./path-table.ts";
import type { EntryFacts } from "./records.ts";

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
    this.#tree = new LayeredTree(layers, options);
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
    const { node, missing } = await this.#lookUp(path, { follow });
    return missing.length > 0 ? undefined : this.#entry(node);
  }

  /**
   * How far a path leads, links followed: what is there of it, and the names that are missing below that.
   * @throws DrayError `NOT_FOUND` where a file or a circle of links is in the way, and what reading layers throws
   */
  async reach(path: string): Promise<{ readonly path: string; readonly missing: readonly string[] }> {
    const { node, missing } = await this.#lookUp(path, { follow: true });
    return { path: `/${this.#tree.paths.path(node)}`, missing };
  }

  /**
   * What is in a directory, sorted by name; of anything else, itself.
   * @throws DrayError `NOT_FOUND`, and what reading layers throws
   */
  async list(path = "/"): Promise<FileEntry[]> {
    const place = await this.#resolve(path, { follow: true });
    if (!this.#isDirectory(place)) return [await this.#entry(place)];
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
    const start = await this.#resolve(path, { follow: true });
    yield await this.#entry(start);
    if (!this.#isDirectory(start)) return;
    /** What is left of the directories that are open. */
    const open = [await this.#children(start)];
    for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
      const next = directory.next();
      if (next.done) open.pop();
      else {
        yield await this.#entry(next.value);
        if (this.#isDirectory(next.value)) open.push(await this.#children(next.value));
      }
    }
  }

  /**
   * All bytes of a file.
   * @throws DrayError `NOT_FOUND`, `USAGE` for a directory, `LIMIT_EXCEEDED`, `UNSUPPORTED` for a device, and what reading layers throws
   */
  async read(path: string, { limit = usualLimit }: Pick<ReadFileOptions, "limit"> = {}): Promise<Uint8Array> {
    refuseNumber("limit", limit, { from: 0 });
    const record = await this.#file(path, limit);
    if (this.#tree.records.facts(record).size > limit)
      throw new DrayError("LIMIT_EXCEEDED", `file ${path} is larger than ${limit} bytes`, {
        reference: this.#image.descriptor.digest,
      });
    return this.#bodies.get(record) ?? collect(this.#tree.open(record, path), limit, `file ${path}`);
  }

  /**
   * The bytes of a file, however many. Their layer is checked when its end is reached, which is when these end.
   * @throws DrayError as `read`, but for `LIMIT_EXCEEDED`
   */
  async open(path: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#open(await this.#file(path, keptWhole), path);
  }

  /**
   * The same, or `undefined` where there is nothing.
   * @throws DrayError as `open`; `NOT_FOUND` where a file or a circle of links is in the way
   */
  async openIfThere(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const file = await this.#fileIfThere(path, keptWhole);
    return file === undefined ? undefined : this.#open(file, path);
  }

  #open(record: number, path: string): AsyncIterable<Uint8Array> {
    const kept = this.#bodies.get(record);
    return kept === undefined ? this.#tree.open(record, path) : bytesContent(kept).open();
  }

  /** The record of a file with bytes. */
  async #file(path: string, limit: number): Promise<number> {
    const file = await this.#fileIfThere(path, limit);
    if (file === undefined) throw this.#missing(path, "");
    return file;
  }

  async #fileIfThere(path: string, limit: number): Promise<number | undefined> {
    const { node, missing } = await this.#lookUp(path, { follow: true, limit });
    if (missing.length > 0) return undefined;
    if (this.#isDirectory(node))
      throw new DrayError("USAGE", `${path} is a directory in ${this.#called}`, {
        reference: this.#image.descriptor.digest,
      });
    const record = this.#tree.record(node);
    const type = this.#tree.records.type(record);
    if (type === "file" || type === "other") return record;
    throw new DrayError("UNSUPPORTED", `${path} is a ${type} in ${this.#called}`);
  }

  /** What is at a path. */
  async #resolve(path: string, following: Following): Promise<Node> {
    const { node, missing } = await this.#lookUp(path, following);
    if (missing.length > 0) throw this.#missing(path, "");
    return node;
  }

  /** Goes step by step from the root, which `..` does not leave. Gives how far that leads, and the names that are missing below. */
  async #lookUp(path: string, { follow, limit = 0 }: Following): Promise<Reached> {
    const { paths } = this.#tree;
    if (path.length > longestPath) throw this.#missing(path, ": its path is too long");
    let [node, steps, links]: [Node, readonly string[], number] = [rootNode, stepsOf(path), 0];
    let visit = this.#keeping(node, steps, limit);
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i] as string;
      const child = step === ".." ? paths.parent(node) : paths.child(node, step);
      const rest = steps.slice(i + 1);
      if (!(await this.#isThere(child, visit))) return { node, missing: [step, ...rest] };
      const { type, linkName } = this.#isDirectory(child) ? plainDirectory : this.#tree.facts(child);
      if (type === "symlink" && (follow || rest.length > 0)) {
        if (++links > mostLinks) throw this.#missing(path, ": its links go round in circles");
        if (linkName.startsWith("/")) node = rootNode;
        [steps, i] = [[...stepsOf(linkName), ...rest], -1];
        visit = this.#keeping(node, steps, limit);
        continue;
      }
      if (type !== "directory" && rest.length > 0) throw this.#missing(path, `: /${paths.path(child)} is no directory`);
      node = child;
    }
    return { node, missing: [] };
  }

  /** Reads the layers that it takes to know what is at a node. */
  async #isThere(node: Node, visit: Visit | undefined): Promise<boolean> {
    for (;;) {
      const seen = this.#tree.see(node);
      if (seen === "entry" || seen === "directory") return true;
      if (seen === "nothing" || !(await this.#tree.readNext(visit))) return false;
    }
  }

  /** Keeps what comes to be at the end of a way, if that is a file of up to so many bytes. */
  #keeping(from: Node, steps: readonly string[], limit: number): Visit | undefined {
    if (limit === 0) return undefined;
    const { paths } = this.#tree;
    let wanted = from;
    for (const step of steps) wanted = step === ".." ? paths.parent(wanted) : paths.child(wanted, step);
    let before = 0;
    return async (record, outputs, { type, size, body }) => {
      if (!outputs.some(({ node }) => node === wanted)) return;
      this.#bodies.delete(before);
      before = record;
      if (body === undefined || size > limit || (type !== "file" && type !== "other")) return;
      this.#bodies.set(record, await collect(copies(body), limit, `file /${paths.path(wanted)}`));
    };
  }

  #isDirectory(node: Node): boolean {
    const record = this.#tree.record(node);
    return record === 0 || this.#tree.records.type(record) === "directory";
  }

  /** Sorted by name. */
  async #children(directory: Node): Promise<Generator<Node>> {
    while (this.#tree.isOpen(directory)) await this.#tree.readNext();
    return this.#tree.children(directory);
  }

  async #entry(node: Node): Promise<FileEntry> {
    const tree = this.#tree;
    while (tree.see(node) === "wanted" || tree.isWithoutEntry(node)) await tree.readNext();
    const layer = tree.layer(node)?.descriptor.digest as Digest;
    const path = `/${tree.paths.path(node)}`;
    if (tree.record(node) === 0) return { ...plainDirectory, path, layer };
    const { offset: _offset, ...facts } = tree.facts(node);
    const linked = tree.linked(node);
    if (linked === undefined) return { ...facts, path, layer };
    return { ...facts, type: "hardlink", linkName: `/${tree.paths.path(linked)}`, path, layer };
  }

  #missing(path: string, why: string): DrayError {
    return new DrayError("NOT_FOUND", `${this.#called} has no file ${path}${why}`, {
      reference: this.#image.descriptor.digest,
    });
  }
}

interface Reached {
  readonly node: Node;
  readonly missing: readonly string[];
}

interface Following {
  readonly follow: boolean;
  /** Bytes of a file that are kept when its layer is read. */
  readonly limit?: number;
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
