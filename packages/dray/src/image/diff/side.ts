import { type Cancel, collect } from "../../content/index.ts";
import { isDrayError } from "../../errors.ts";
import type { Digest } from "../../oci/index.ts";
import { copies, type FileEntry, LayeredTree, type LinkFacts, type Node, rootNode, type Visit } from "../tree/index.ts";
import type { Layer } from "../views.ts";
import { FileDigests } from "./file-digests.ts";
import { isPackageFile, type PackageList, readPackages } from "./packages/index.ts";

/** Bytes of a list of packages that are read at most. */
const largestList = 64 * 1024 * 1024;

/** What one image has at a path. */
export type State =
  /** Something, with an entry or only with something below it. */
  | { readonly kind: "entry" | "implied"; readonly node: Node }
  /** Nothing: it was taken away, or never there. */
  | { readonly kind: "gone" }
  /** What layers have that both images share and that were not read. */
  | { readonly kind: "shared" };

/** A path as one image knows it, or does not. */
export interface Spot {
  readonly node: Node | undefined;
  /** Whether layers that were not read have something to say of what is in it. */
  readonly isOpen: boolean;
}

/** The layers of one image that are read, as a tree, with the digest of each file and the lists of packages. */
export class Side {
  readonly tree: LayeredTree;
  /** By their records: of each file, and of what hard links lead to. */
  readonly #digests = new FileDigests();
  readonly #lists = new Map<number, PackageList>();
  readonly #packageFiles = new Set<string>();
  /** Hard links to files of layers that were not read. */
  readonly #left = new Map<Node, { readonly target: Node; readonly facts: LinkFacts }>();
  /** Whether layers below those that were read say something, too. */
  readonly #isPartial: boolean;

  /** @param layers those that are read, bottom first */
  constructor(layers: readonly Layer[], { isPartial, ...options }: Cancel & { readonly isPartial: boolean }) {
    this.tree = new LayeredTree(layers, { ...options, isPartial, whole: true });
    this.#isPartial = isPartial;
  }

  async read(): Promise<void> {
    const visit: Visit = async (record, outputs, entry, files) => {
      if (entry.type !== "file" && entry.type !== "other") return;
      const path = `/${outputs[0]?.path ?? entry.name}`;
      const body = entry.body ?? files.open({ path, offset: entry.offset, size: entry.size });
      const lists = outputs.map((output) => `/${output.path}`).filter(isPackageFile);
      for (const each of lists) this.#packageFiles.add(each);
      if (lists[0] === undefined) {
        await this.#digests.read(record, entry.size, body);
        return;
      }
      const bytes = await listBytes(copies(body));
      this.#digests.put(record, bytes ?? new Uint8Array(0));
      const list = bytes === undefined ? { unreadable: "it is too large" } : readPackages(lists[0], bytes);
      this.#lists.set(record, list);
    };
    while (await this.tree.readNext(visit));
    for (const [name, target, facts] of this.tree.linksLeft()) this.#left.set(name, { target, facts });
  }

  get root(): Spot {
    return { node: rootNode, isOpen: this.#isPartial && !this.tree.hides(rootNode) };
  }

  /** What is in a directory under a name. */
  inside({ node, isOpen }: Spot, name: string): Spot {
    const child = node === undefined ? undefined : this.tree.paths.find(node, name);
    return { node: child, isOpen: isOpen && (child === undefined || !this.tree.hides(child)) };
  }

  /** What there is. */
  state({ node, isOpen }: Spot): State {
    const seen = node === undefined ? "open" : this.tree.see(node);
    if (node !== undefined && seen === "directory") return { kind: "implied", node };
    if (node !== undefined && (seen === "entry" || seen === "wanted")) return { kind: "entry", node };
    return { kind: isOpen ? "shared" : "gone" };
  }

  /** The paths of lists of packages that were read. */
  *packageFiles(): Generator<string> {
    for (const path of this.#packageFiles) yield path;
  }

  packages(node: Node): PackageList | undefined {
    return this.#lists.get(this.tree.record(node));
  }

  /** An entry, as it is told. Of a hard link size and content are those of what it stands for. */
  entry(node: Node, path: string): Described {
    const layer = this.tree.layer(node)?.descriptor.digest as Digest;
    const left = this.#left.get(node);
    if (left !== undefined) {
      const { mode, uid, gid, mtime } = left.facts;
      const linkName = `/${this.tree.paths.path(left.target)}`;
      const facts = { mode, uid, gid, mtime, deviceMajor: 0, deviceMinor: 0, xattrs: {} };
      return { ...facts, type: "hardlink", size: 0, linkName, path, layer, content: `> ${linkName}` };
    }
    const { offset: _offset, ...facts } = this.tree.facts(node);
    const content = this.#digests.get(this.tree.record(node)) ?? facts.linkName;
    const linked = this.tree.linked(node);
    if (linked === undefined) return { ...facts, path, layer, content };
    return { ...facts, type: "hardlink", linkName: `/${this.tree.paths.path(linked)}`, path, layer, content };
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
