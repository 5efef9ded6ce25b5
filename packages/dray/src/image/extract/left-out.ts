import type { TreeEntry } from "../tree/index.ts";

/** What of an image could not be set. */
export interface LeftOut {
  /** `attributes` are extended ones, capabilities among them; `set-id` are the bits of files whose owner could not be set. */
  readonly what: "attributes" | "device" | "pipe" | "owner" | "set-id";
  readonly count: number;
  /** The first ten. */
  readonly paths: readonly string[];
}

const mostNamed = 10;

/** Counts what is left out, and names some of it. */
export class LeftOutTally {
  readonly #all = new Map<LeftOut["what"], { count: number; paths: string[] }>();

  add(what: LeftOut["what"], path: string): void {
    const seen = this.#all.get(what) ?? { count: 0, paths: [] };
    this.#all.set(what, seen);
    if (++seen.count <= mostNamed) seen.paths.push(path);
  }

  /** What no function of Node's sets, whoever runs it. */
  addOf({ path, pax }: TreeEntry): void {
    for (const key in pax)
      if (key.startsWith("SCHILY.xattr.") || key.startsWith("SCHILY.acl.") || key.startsWith("LIBARCHIVE.xattr.")) {
        this.add("attributes", path);
        return;
      }
  }

  list(): LeftOut[] {
    return [...this.#all].map(([what, { count, paths }]) => ({ what, count, paths }));
  }
}
