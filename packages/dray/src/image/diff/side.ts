import { createHash } from "node:crypto";
import { type Cancel, collect } from "../../content/index.ts";
import { isDrayError } from "../../errors.ts";
import type { Digest } from "../../oci/index.ts";
import { type FileEntry, LayeredTree, type Visit } from "../files/index.ts";
import type { Layer } from "../views.ts";
import { isPackageFile, type PackageList, readPackages } from "./packages/index.ts";

/** Bytes of a list of packages that are read at most. */
const largestList = 64 * 1024 * 1024;
/** As Linux follows. */
const mostLinks = 40;

/** What one image has at a path. */
export type State =
  /** Something, with an entry or only with something below it. */
  | { readonly kind: "entry" | "implied"; readonly record: number }
  /** Nothing: it was taken away, or never there. */
  | { readonly kind: "gone" }
  /** What layers have that both images share and that were not read. */
  | { readonly kind: "shared" };

/** The layers of one image that are read, as a tree, with the digest of each file and the lists of packages. */
export class Side {
  readonly tree: LayeredTree;
  /** By their records. */
  readonly #digests = new Map<number, string>();
  readonly #lists = new Map<number, PackageList>();
  readonly #packageFiles = new Set<string>();
  /** Whether layers below those that were read say something, too. */
  readonly #isPartial: boolean;

  /** @param layers those that are read, bottom first */
  constructor(layers: readonly Layer[], { isPartial, ...options }: Cancel & { readonly isPartial: boolean }) {
    this.tree = new LayeredTree(layers.toReversed(), { ...options, whole: true });
    this.#isPartial = isPartial;
  }

  async read(): Promise<void> {
    const visit: Visit = async (record, path, entry, files) => {
      if (entry.type !== "file" && entry.type !== "other") return;
      const body = entry.body ?? files.open({ path, offset: entry.offset, size: entry.size });
      const hash = createHash("sha256");
      if (isPackageFile(path)) {
        this.#packageFiles.add(path);
        const bytes = await listBytes(body);
        hash.update(bytes ?? "");
        this.#lists.set(record, bytes === undefined ? { unreadable: "it is too large" } : readPackages(path, bytes));
      } else for await (const chunk of body) hash.update(chunk);
      // Half of it: these are in memory for each file, and nobody but its author would gain by two that are alike.
      this.#digests.set(record, hash.digest("base64url").slice(0, 22));
    };
    while (await this.tree.readNext(visit));
  }

  /** From which layer on nothing counts at the root: behind the last, where there are others below. */
  get root(): number {
    const all = this.tree.layers.length + (this.#isPartial ? 1 : 0);
    return this.tree.below(0, 0, all);
  }

  /** What there is under a name, where layers before `until` count. */
  state(node: number | undefined, until: number): State {
    const isOpen = until > this.tree.layers.length;
    if (node === undefined) return { kind: isOpen ? "shared" : "gone" };
    const { kind, record } = this.tree.look(node, 0, until);
    if (kind === "entry" || kind === "implied") return { kind, record };
    return { kind: isOpen && this.tree.below(node, 0, until) === until ? "shared" : "gone" };
  }

  /** What is inside a place. */
  below(node: number | undefined, until: number): number {
    return node === undefined ? until : this.tree.below(node, 0, until);
  }

  /** The paths of lists of packages that were read. */
  *packageFiles(): Generator<string> {
    for (const path of this.#packageFiles) yield path;
  }

  packages(record: number): PackageList | undefined {
    return this.#lists.get(record);
  }

  /** An entry, as it is told. Of a hard link size and content are those of what it stands for. */
  entry(record: number, path: string): Described {
    const { offset: _offset, ...facts } = this.tree.records.facts(record);
    const layer = this.tree.layers[this.tree.records.layer(record)]?.descriptor.digest as Digest;
    const file = this.#behind(record);
    const content = file === undefined ? `> ${facts.linkName}` : (this.#digests.get(file) ?? facts.linkName);
    const size = file === undefined ? 0 : this.tree.records.facts(file).size;
    return { ...facts, size, path, layer, content };
  }

  /** The record of the file that a hard link stands for; itself for all else, `undefined` where it is not among what was read. */
  #behind(record: number): number | undefined {
    let at = record;
    for (let links = 0; links < mostLinks; links++) {
      if (this.tree.records.type(at) !== "hardlink") return at;
      const found = this.tree.lookUp(this.tree.records.facts(at).linkName, this.tree.records.layer(at));
      if (found === undefined || found === "unknown" || found.kind !== "entry") return undefined;
      at = found.record;
    }
    return undefined;
  }
}

/** An entry with what tells its content from another's. */
export interface Described extends FileEntry {
  readonly content: string;
}

const listBytes = async (body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> => {
  try {
    return await collect(body, largestList, "the list of packages");
  } catch (error) {
    if (isDrayError(error, "LIMIT_EXCEEDED")) return undefined;
    throw error;
  }
};
