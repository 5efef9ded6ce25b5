import { posix } from "node:path";
import { decompressed } from "../compression/index.ts";
import { type Content, collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { readEntries, type StreamedEntry, type TarEntry } from "../tar/index.ts";
import { landmarks, tocName } from "./toc.ts";

/** An entry with its body, to be read before the next one is asked for. */
export interface EntryWithBody {
  readonly entry: TarEntry;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface OrderOptions {
  /** Files that come first, in this order, with the folders they lie in. Paths from the root. */
  readonly prioritized: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A name as it is compared: `./etc//passwd` is `etc/passwd`, and the root is empty. */
export const plainName = (name: string): string => posix.normalize(`/${name}`).replace(/^\/+|\/+$/g, "");

/**
 * The entries of a tar, compressed or not, those that are wanted first before the others; `between` is told when they end. The tar is read once to
 * its end where nothing is wanted first, else a few times.
 * @throws DrayError `NOT_FOUND` naming a wanted file that is not there, and what reading throws
 */
export async function* orderedEntries(
  tar: Content,
  { prioritized, signal }: OrderOptions,
  between: () => EntryWithBody,
): AsyncGenerator<EntryWithBody> {
  const first = prioritized.length === 0 ? [] : await chosen(tar, prioritized, signal);
  yield* inOrder(tar, first, signal);
  yield between();
  const passed = new Set(first.map(({ name }) => name));
  for await (const entry of entriesOf(tar, signal))
    if (!passed.has(plainName(entry.name))) yield { entry, body: entry.body };
}

/** An entry that comes first. A body that is small was kept when it was found. */
interface Chosen {
  readonly name: string;
  readonly entry: StreamedEntry;
  readonly kept: Uint8Array | undefined;
}

/** Bytes of bodies that are kept at most. */
const mostKept = 32 * 1024 * 1024;

/** The wanted files with all that has to come before them: folders from the root down, and what hard links stand for. */
const chosen = async (tar: Content, files: readonly string[], signal: AbortSignal | undefined): Promise<Chosen[]> => {
  const names = files.map(plainName);
  const wanted = new Set(names.flatMap(withFolders));
  let found: Map<string, Chosen>;
  for (;;) {
    found = await find(tar, wanted, signal);
    const before = wanted.size;
    for (const { entry } of found.values())
      if (entry.type === "hardlink") for (const name of withFolders(plainName(entry.linkName))) wanted.add(name);
    if (wanted.size === before) break;
  }
  const order = new Map<string, Chosen>();
  const add = (name: string, links: number): void => {
    for (const each of withFolders(name)) {
      const one = found.get(each);
      if (one === undefined || order.has(each)) continue;
      // A link to a link ends somewhere, unless somebody made a circle.
      if (one.entry.type === "hardlink" && links < wanted.size) add(plainName(one.entry.linkName), links + 1);
      order.set(each, one);
    }
  };
  for (const [i, name] of names.entries()) {
    if (name !== "" && !found.has(name))
      throw new DrayError("NOT_FOUND", `the layer has no file ${files[i]}, which was to come first`);
    add(name, 0);
  }
  return [...order.values()];
};

/** `usr/bin/env` with what it lies in: the root, `usr`, `usr/bin`. */
const withFolders = (name: string): string[] => {
  const parts = name === "" ? [] : name.split("/");
  return ["", ...parts.map((_, i) => parts.slice(0, i + 1).join("/"))];
};

/** The last entry of each name. */
const find = async (
  tar: Content,
  wanted: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<Map<string, Chosen>> => {
  const found = new Map<string, Chosen>();
  let keeping = 0;
  for await (const entry of entriesOf(tar, signal)) {
    const name = plainName(entry.name);
    if (!wanted.has(name)) continue;
    keeping -= found.get(name)?.kept?.byteLength ?? 0;
    const isSmall = keeping + entry.size <= mostKept;
    const kept = isSmall ? new Uint8Array(await collect(entry.body, entry.size, entry.name)) : undefined;
    keeping += kept?.byteLength ?? 0;
    found.set(name, { name, entry, kept });
  }
  return found;
};

async function* inOrder(
  tar: Content,
  first: readonly Chosen[],
  signal: AbortSignal | undefined,
): AsyncGenerator<EntryWithBody> {
  let open: AsyncGenerator<StreamedEntry> | undefined;
  let at = Number.POSITIVE_INFINITY;
  try {
    for (const { entry, kept } of first) {
      if (kept !== undefined) {
        yield { entry, body: once(kept) };
        continue;
      }
      // What lies further on is reached in the same pass.
      if (entry.start <= at) {
        await open?.return(undefined);
        open = entriesOf(tar, signal);
      }
      for (let next = await open?.next(); next !== undefined && !next.done; next = await open?.next()) {
        at = next.value.start;
        if (at < entry.start) continue;
        yield { entry, body: next.value.body };
        break;
      }
    }
  } finally {
    await open?.return(undefined);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/**
 * The entries, without those that eStargz adds.
 * @throws DrayError `UNSUPPORTED` for a file that comes again behind a hard link to it: that leads to the first one, and in a table of contents a name
 *   is one file
 */
async function* entriesOf(tar: Content, signal: AbortSignal | undefined): AsyncGenerator<StreamedEntry> {
  /** Names that came, each as a number: half a million of them would take much memory. */
  const before = new Set<number>();
  /** Names that hard links lead to, and came before them. */
  const linked = new Map<string, string>();
  for await (const entry of readEntries(decompressed(tar.open({ signal })), { what: "the layer" })) {
    const name = plainName(entry.name);
    if (isOfEstargz(name)) continue;
    const target = entry.type === "hardlink" ? plainName(entry.linkName) : undefined;
    const link = entry.type === "directory" || target === name ? undefined : linked.get(name);
    if (link !== undefined)
      throw new DrayError(
        "UNSUPPORTED",
        `the layer has an entry "${entry.name}" once more behind "${link}", which is a hard link to the first of them; eStargz has no word for that: leave the layer as it is, or make it anew from its files`,
      );
    if (target !== undefined && before.has(numberOf(target))) linked.set(target, entry.name);
    if (entry.type !== "directory") before.add(numberOf(name));
    yield entry;
  }
}

/** A text as a number of 53 bits: two are hardly ever one. */
const numberOf = (text: string): number => {
  let [high, low] = [0x811c9dc5, 0x9e3779b1];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
    low ^= low >>> 13;
  }
  return ((high ^ (high >>> 15)) >>> 0) * 2 ** 21 + (low >>> 11);
};

const isOfEstargz = (name: string): boolean =>
  name === tocName || name === landmarks.prefetch || name === landmarks.noPrefetch;
