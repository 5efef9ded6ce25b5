import { posix } from "node:path";
import { type Cancel, collect } from "../content/index.ts";
import { DrayError, throwIfAborted } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import type { TarEntry } from "../tar/index.ts";
import { readEntries } from "./entries.ts";
import type { Image, Layer } from "./views.ts";

/** How a file of an image is read. */
export interface ReadFileOptions extends Cancel {
  /** Bytes that the file may have. Default 64 MiB. */
  readonly limit?: number | undefined;
}

const usualLimit = 64 * 1024 * 1024;
/** As Linux follows. */
const mostLinks = 40;
/** As Linux allows; a link may have a megabyte, and each part of a path is looked up. */
const longestPath = 4096;
/** Bytes of what is remembered at most, of an entry so many beside its names. */
const [mostRemembered, entryBytes] = [128 * 1024 * 1024, 128];

/**
 * A file as a container of the image would see it: of the uppermost layer that has it, unless a layer above has taken it away, with links followed
 * inside the image. Layers are read from the top down, each to its end, so that its digest is checked, and none below the file's.
 * @param path from the root of the image; a leading slash may be left out
 * @throws DrayError `NOT_FOUND`, `USAGE` for a directory, `LIMIT_EXCEEDED`, `UNSUPPORTED` for a device, and what reading layers throws
 * @example const release = new TextDecoder().decode(await readFile(image, "/etc/os-release"));
 */
export const readFile = async (image: Image, path: string, options: ReadFileOptions = {}): Promise<Uint8Array> => {
  const { limit = usualLimit, signal } = options;
  refuseNumber("limit", limit, { from: 0 });
  const files = new MergedLayers((await image.layers()).toReversed(), { limit, signal });
  const missing = (why: string): DrayError =>
    new DrayError("NOT_FOUND", `${image.descriptor.digest} has no file ${path}${why}`, {
      reference: image.descriptor.digest,
    });
  let wanted = cleaned(path);
  let from = 0;
  for (let links = 0; links <= mostLinks; links++) {
    if (wanted.length > longestPath) throw missing(": its path is too long");
    const found = await files.find(wanted, from);
    if (found === undefined) throw missing("");
    const { at, entry, layer, rest } = found;
    if (entry.type === "symlink") {
      wanted = cleaned(posix.join(posix.isAbsolute(entry.linkName) ? "/" : posix.dirname(at), entry.linkName, rest));
      continue;
    }
    if (rest !== "") throw missing(`: ${at} is no directory`);
    if (entry.type === "file" || entry.type === "other") return files.read(at, layer);
    if (entry.type === "directory")
      throw new DrayError("USAGE", `${path} is a directory in ${image.descriptor.digest}`);
    if (entry.type !== "hardlink")
      throw new DrayError("UNSUPPORTED", `${path} is a ${entry.type} in ${image.descriptor.digest}`);
    // What a hard link stands for was there when its layer was made, whatever came above.
    [wanted, from] = [cleaned(entry.linkName), layer];
  }
  throw missing(": its links go round in circles");
};

/** As seen from the root, which `..` does not leave: `/etc/passwd`. */
const cleaned = (path: string): string => posix.normalize(`/${path}`).replace(/(?<=.)\/$/, "");

type Entry = Pick<TarEntry, "type" | "linkName">;

interface Found {
  readonly at: string;
  readonly entry: Entry;
  /** Which layer has it, counted from the top. */
  readonly layer: number;
  /** What of the path lies below, where `at` is a link or a file in the midst of it. */
  readonly rest: string;
}

/** What one layer says about paths. */
interface LayerIndex {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Taken away, of layers below. */
  readonly removed: ReadonlySet<string>;
  /** Directories whose content in layers below counts for nothing. */
  readonly opaque: ReadonlySet<string>;
}

/** How layers are read. */
interface Scanning extends Cancel {
  readonly limit: number;
}

/** Layers from the top down, each read when it is needed. */
class MergedLayers {
  readonly #layers: readonly Layer[];
  readonly #options: Scanning;
  readonly #indexes: LayerIndex[] = [];
  readonly #bodies = new Map<string, Uint8Array>();
  #remembered = 0;

  constructor(layers: readonly Layer[], options: Scanning) {
    this.#layers = layers;
    this.#options = options;
  }

  /** What is at a path, or at the link or file on the way to it. Directories need no entries of their own. */
  async find(path: string, from: number): Promise<Found | undefined> {
    const names = path.split("/").slice(1);
    for (let length = 1; length <= names.length; length++) {
      const at = `/${names.slice(0, length).join("/")}`;
      const rest = names.slice(length).join("/");
      const found = await this.#lookUp(at, path, from);
      if (found !== undefined && (rest === "" || found.entry.type !== "directory")) return { at, rest, ...found };
    }
    return undefined;
  }

  /** The bytes of a file, which were perhaps kept when its layer was read. */
  async read(path: string, layer: number): Promise<Uint8Array> {
    if (!this.#bodies.has(`${layer} ${path}`)) await this.#scan(layer, path);
    return this.#bodies.get(`${layer} ${path}`) ?? new Uint8Array();
  }

  async #lookUp(at: string, wanted: string, from: number): Promise<Pick<Found, "entry" | "layer"> | undefined> {
    for (let layer = from; layer < this.#layers.length; layer++) {
      const index = (this.#indexes[layer] ??= await this.#scan(layer, wanted));
      const entry = index.entries.get(at);
      if (entry !== undefined) return { entry, layer };
      if (hides(index, at)) return undefined;
    }
    return undefined;
  }

  /** Reads a layer to its end and keeps the body of one file. */
  async #scan(layer: number, wanted: string): Promise<LayerIndex> {
    const [entries, removed, opaque] = [new Map<string, Entry>(), new Set<string>(), new Set<string>()];
    const { limit, signal } = this.#options;
    for await (const { name, type, linkName, body } of readEntries(this.#layers[layer] as Layer, { signal })) {
      throwIfAborted(signal);
      const path = cleaned(name);
      const [folder, last] = [posix.dirname(path), posix.basename(path)];
      this.#remembered += entryBytes + path.length + linkName.length;
      if (this.#remembered > mostRemembered)
        throw new DrayError(
          "LIMIT_EXCEEDED",
          `the names in the layers take more than ${mostRemembered} bytes; read them one by one`,
        );
      if (last === ".wh..wh..opq") opaque.add(folder);
      else if (last.startsWith(".wh.")) removed.add(posix.join(folder, last.slice(".wh.".length)));
      else {
        entries.set(path, { type, linkName });
        if (path === wanted && (type === "file" || type === "other"))
          this.#bodies.set(`${layer} ${path}`, await collect(body, limit, `file ${path}`));
      }
    }
    return { entries, removed, opaque };
  }
}

/** Whether a layer hides what layers below have at a path: it took it away, or something above it, or put something else there. */
const hides = ({ entries, removed, opaque }: LayerIndex, path: string): boolean => {
  if (removed.has(path)) return true;
  for (let above = posix.dirname(path); ; above = posix.dirname(above)) {
    const { type } = entries.get(above) ?? {};
    if (removed.has(above) || opaque.has(above) || (type !== undefined && type !== "directory")) return true;
    if (above === "/") return false;
  }
};
