import type { FileEntry } from "../tree/index.ts";
import type { Described, Side, Spot, State } from "./side.ts";

/** In what a file may differ. Times do not count: builders write them anew. */
export type FileAspect = "type" | "content" | "link" | "mode" | "owner" | "device" | "attributes";

/** A path that two images do not have alike. */
export interface FileChange {
  readonly path: string;
  readonly change: "added" | "removed" | "changed";
  /** In what it changed. */
  readonly aspects: readonly FileAspect[];
  /** What it was, and the layer that has it; `undefined` where it was added. */
  readonly before: FileEntry | undefined;
  readonly after: FileEntry | undefined;
  /**
   * The other image has there whatever layers have that both share, and these were not read: what was added may have replaced something, and of
   * what is back nothing is known.
   */
  readonly shared: boolean;
}

/** What differs, sorted by path, a directory before what is in it. */
export function* filesChanged(before: Side, after: Side): Generator<FileChange> {
  yield* below(before, after, before.root, after.root, "");
}

function* below(before: Side, after: Side, one: Spot, other: Spot, folder: string): Generator<FileChange> {
  for (const name of namesIn(before, after, one, other)) {
    const path = `${folder}/${name}`;
    const [a, b] = [before.inside(one, name), after.inside(other, name)];
    const change = changeOf(path, { side: before, state: before.state(a) }, { side: after, state: after.state(b) });
    if (change !== undefined) yield change;
    yield* below(before, after, a, b, path);
  }
}

const namesIn = (before: Side, after: Side, one: Spot, other: Spot): readonly string[] => {
  const names = new Set<string>();
  for (const [{ tree }, { node }] of [
    [before, one],
    [after, other],
  ] as const)
    if (node !== undefined) for (const each of tree.paths.children(node)) names.add(tree.paths.name(each));
  return [...names].sort();
};

interface Seen {
  readonly side: Side;
  readonly state: State;
}

const changeOf = (path: string, one: Seen, other: Seen): FileChange | undefined => {
  const [was, is] = [described(path, one), described(path, other)];
  if (one.state.kind === "gone" && other.state.kind === "gone") return undefined;
  if (one.state.kind === "shared" && other.state.kind === "shared") return undefined;
  // A directory that only one of them names was most likely there before: layers name those in which they have something.
  const shared = one.state.kind === "shared" || other.state.kind === "shared";
  if (shared && (isDirectory(one, was) || isDirectory(other, is))) return undefined;
  const facts = { path, before: was, after: is, shared };
  if (one.state.kind === "gone" || (one.state.kind === "shared" && is !== undefined))
    return { ...facts, change: "added", aspects: [] };
  if (other.state.kind === "gone" || (other.state.kind === "shared" && was !== undefined))
    return { ...facts, change: "removed", aspects: [] };
  const aspects = aspectsOf(one, other, was, is);
  return aspects.length === 0 ? undefined : { ...facts, change: "changed", aspects };
};

const described = (path: string, { side, state }: Seen): Described | undefined =>
  state.kind === "entry" ? side.entry(state.node, path) : undefined;

const isDirectory = ({ state }: Seen, entry: Described | undefined): boolean =>
  state.kind === "implied" || entry?.type === "directory";

const aspectsOf = (one: Seen, other: Seen, was: Described | undefined, is: Described | undefined): FileAspect[] => {
  if (isDirectory(one, was) !== isDirectory(other, is)) return ["type"];
  // Of a directory without an entry nothing is said that could differ.
  if (was === undefined || is === undefined) return [];
  const differs: Readonly<Record<FileAspect, boolean>> = {
    type: plainType(was) !== plainType(is),
    content: was.type !== "symlink" && (was.content !== is.content || was.size !== is.size),
    link: was.type === "symlink" && is.type === "symlink" && was.linkName !== is.linkName,
    mode: was.mode !== is.mode,
    owner: was.uid !== is.uid || was.gid !== is.gid,
    device: was.deviceMajor !== is.deviceMajor || was.deviceMinor !== is.deviceMinor,
    attributes: attributes(was) !== attributes(is),
  };
  const found = (Object.keys(differs) as FileAspect[]).filter((aspect) => differs[aspect]);
  return found.includes("type") ? ["type"] : found;
};

/** A hard link is the file that it stands for. */
const plainType = ({ type }: FileEntry): FileEntry["type"] => (type === "hardlink" || type === "other" ? "file" : type);

const attributes = ({ xattrs }: FileEntry): string =>
  JSON.stringify(Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1)));
