import type { ErrorCode } from "../../errors.ts";
import { longestPath, mostLinks, partsOf, stepsOf } from "./names.ts";
import { type Node, type PathTable, rootNode } from "./path-table.ts";

/** Characters of all symbolic links of one layer at most: they are remembered until its end. */
const mostOfLinks = 64 * 1024 * 1024;

/** Makes the error of an entry, or of a layer, that cannot be as it is. */
export type Fault = (what: string, code?: ErrorCode) => Error;

/**
 * Names of one layer as places in the tree. A directory on the way that is a symbolic link of this very layer is followed inside the root, as
 * whoever unpacks the layer does; one of a layer below is not, for layers lie over each other as directories of their own.
 */
export class LayerPaths {
  readonly #table: PathTable;
  readonly #symlinks = new Map<Node, string>();
  #ofLinks = 0;
  /** The directory of the name that was asked for last: most entries lie where the one before lies. */
  #lastFolder: string | undefined;
  #lastNode: Node = rootNode;
  #lastPath = "";

  constructor(table: PathTable) {
    this.#table = table;
  }

  /** Another layer comes. */
  begin(): void {
    this.#symlinks.clear();
    this.#ofLinks = 0;
    this.#lastFolder = undefined;
  }

  /**
   * What an entry makes of its place: a link that others are followed through, or not any more.
   * @throws what `fault` makes of links that are longer than Linux has them, or too many of long ones
   */
  set(node: Node, target: string | undefined, fault: Fault): void {
    if (target !== undefined && target.length > longestPath)
      throw fault(`is a link to a path of more than ${longestPath} bytes`, "LIMIT_EXCEEDED");
    this.#ofLinks += target?.length ?? 0;
    if (this.#ofLinks > mostOfLinks)
      throw fault(`is the last of links that have more than ${mostOfLinks} bytes together`, "LIMIT_EXCEEDED");
    if (target === undefined ? this.#symlinks.delete(node) : this.#symlinks.set(node, target))
      this.#lastFolder = undefined;
  }

  /** Where a name leads; the last part of it is not followed. @throws what `fault` makes of a name that leads nowhere */
  find(name: string, fault: Fault): { readonly node: Node; readonly path: string } {
    const last = this.#lastOf(name, fault);
    if (last === undefined) return { node: rootNode, path: "" };
    const path = this.#lastPath === "" ? last : `${this.#lastPath}/${last}`;
    if (path.length > longestPath) throw fault(`has a path of more than ${longestPath} bytes`, "LIMIT_EXCEEDED");
    return { node: this.#table.child(this.#lastNode, last), path };
  }

  /** The directory that a name lies in. @throws as `find` */
  folder(name: string, fault: Fault): Node {
    this.#lastOf(name, fault);
    if (name.length > longestPath) throw fault(`has a path of more than ${longestPath} bytes`, "LIMIT_EXCEEDED");
    return this.#lastNode;
  }

  /** Goes to the directory of a name. Gives its last part, which the root has none of. */
  #lastOf(name: string, fault: Fault): string | undefined {
    const end = name.endsWith("/") ? name.length - 1 : name.length;
    const slash = name.lastIndexOf("/", end - 1);
    const [folder, last] = [name.slice(0, Math.max(slash, 0)), name.slice(slash + 1, end)];
    if (folder !== this.#lastFolder || isSpecial(last)) {
      const parts = partsOf(name);
      if (parts === undefined) throw fault("leaves the root by ..");
      if (parts.length === 0) return undefined;
      const lastPart = parts.pop() as string;
      this.#lastNode = this.#walk(parts, fault);
      this.#lastPath = this.#table.path(this.#lastNode);
      this.#lastFolder = lastPart === last ? folder : undefined;
      return lastPart;
    }
    return last;
  }

  /** A directory, links on the way and at its end followed. */
  #walk(parts: readonly string[], fault: Fault): Node {
    let [node, rest, links] = [rootNode, parts, 0];
    for (let i = 0; i < rest.length; i++) {
      const part = rest[i] as string;
      if (rest.length > longestPath) throw fault(`has a path of more than ${longestPath} bytes`, "LIMIT_EXCEEDED");
      // Of links alone: the root has nothing above it.
      if (part === "..") node = this.#table.parent(node);
      else {
        const child = this.#table.child(node, part);
        const target = this.#symlinks.size === 0 ? undefined : this.#symlinks.get(child);
        if (target === undefined) node = child;
        else {
          if (++links > mostLinks) throw fault("lies behind symbolic links that go round in circles");
          if (target.startsWith("/")) node = rootNode;
          rest = [...stepsOf(target), ...rest.slice(i + 1)];
          i = -1;
        }
      }
    }
    return node;
  }
}

const isSpecial = (part: string): boolean => part === "" || part === "." || part === "..";
