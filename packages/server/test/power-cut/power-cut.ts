/** What happened to a disk, in order. A node is a file or a directory, whatever its names are; node 0 is the folder at the top. */
export type DiskEvent =
  /** A name in a directory stands for a node now, or for none. `from`: in the same moment it lost its name there. */
  | {
      readonly type: "name";
      readonly directory: number;
      readonly name: string;
      readonly node: number | undefined;
      readonly from?: { readonly directory: number; readonly name: string };
    }
  | { readonly type: "directory"; readonly node: number }
  | { readonly type: "bytes"; readonly file: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: "length"; readonly file: number; readonly length: number }
  /** All that happened to the node before event `before` is on the disk. */
  | { readonly type: "sync"; readonly node: number; readonly before: number };

export interface Cut {
  /** Events that had happened. */
  readonly after: number;
  /**
   * A number from 0 to 1 for each change that was not synced: the smaller, the less is left of it. `() => 0` drops all,
   * `() => 1` keeps all.
   */
  readonly chance: () => number;
}

/** Paths, of files with their bytes, of directories with `"directory"`. */
export type Leavings = Map<string, Uint8Array | "directory">;

/**
 * What a power cut may leave, seen darker than by any file system with a journal: a name lasts once its directory was synced,
 * bytes and length once the file was. Of the rest any part may be there: some names and not earlier ones, half a write, zeros in
 * its place. Only a rename is one thing.
 */
export const powerCut = (events: readonly DiskEvent[], { after, chance }: Cut): Leavings => {
  const happened = events.slice(0, after);
  const synced = new Map<number, number>();
  for (const event of happened)
    if (event.type === "sync") synced.set(event.node, Math.max(event.before, synced.get(event.node) ?? 0));
  const directories = new Map<number, Map<string, number>>([[0, new Map()]]);
  const files = new Map<number, Uint8Array>();
  for (const [i, event] of happened.entries()) {
    const fate = (node: number): number => ((synced.get(node) ?? 0) > i ? 1 : chance());
    if (event.type === "directory") directories.set(event.node, new Map());
    else if (event.type === "name") {
      if (fate(event.directory) >= 0.5) rename(directories, event);
    } else if (event.type === "bytes") {
      const left = remains(event.bytes, fate(event.file));
      if (left !== undefined) files.set(event.file, patched(files.get(event.file), left, event.position));
    } else if (event.type === "length" && fate(event.file) >= 0.5)
      files.set(event.file, resized(files.get(event.file), event.length));
  }
  const left: Leavings = new Map();
  const walk = (directory: number, above: string): void => {
    for (const [name, node] of directories.get(directory) ?? []) {
      const path = `${above}${name}`;
      left.set(path, directories.has(node) ? "directory" : (files.get(node) ?? new Uint8Array(0)));
      if (directories.has(node)) walk(node, `${path}/`);
    }
  };
  walk(0, "");
  return left;
};

const rename = (
  directories: Map<number, Map<string, number>>,
  { directory, name, node, from }: DiskEvent & { type: "name" },
): void => {
  if (node === undefined) {
    directories.get(directory)?.delete(name);
    return;
  }
  const source = from === undefined ? undefined : directories.get(from.directory);
  if (from !== undefined && source?.get(from.name) === node) source.delete(from.name);
  directories.get(directory)?.set(name, node);
};

const remains = (bytes: Uint8Array, fate: number): Uint8Array | undefined => {
  if (fate < 0.35) return undefined;
  if (fate < 0.5) return new Uint8Array(bytes.byteLength);
  if (fate < 0.65) return bytes.subarray(0, bytes.byteLength >> 1);
  return bytes;
};

const resized = (bytes: Uint8Array | undefined, length: number): Uint8Array => {
  const result = new Uint8Array(length);
  if (bytes !== undefined) result.set(bytes.subarray(0, length));
  return result;
};

const patched = (there: Uint8Array | undefined, bytes: Uint8Array, position: number): Uint8Array => {
  const result = resized(there, Math.max(there?.byteLength ?? 0, position + bytes.byteLength));
  result.set(bytes, position);
  return result;
};
