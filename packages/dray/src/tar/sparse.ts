import { blockSize, type Extent } from "./entry.ts";
import { parseDecimal, parseNumber } from "./numbers.ts";
import type { ByteSource } from "./source.ts";

/** Extents of one file at most: each takes memory while the file is read. */
export const mostExtents = 200_000;

/** What an archive says of a sparse file, in one of GNU's four ways. */
export interface SparseFile {
  /** With its holes. */
  readonly size: number;
  /** Its name, where the header has another for readers that know nothing of holes. */
  readonly name?: string | undefined;
  readonly extents: readonly Extent[];
  /** Bytes of the body before the first extent. */
  readonly mapSize: number;
}

/** The records by which pax tells of a sparse file; they describe the archive and not the file. */
export const isSparseRecord = (key: string): boolean => key.startsWith("GNU.sparse.");

/** Whether records tell of a sparse file. */
export const areSparse = (records: Readonly<Record<string, string>>): boolean =>
  Object.keys(records).some(isSparseRecord);

/**
 * The old way: a few extents in the header, more in the blocks after it.
 * @returns a few words on what is wrong, where something is
 * @see GNU tar manual, "Old GNU Format" and "Storing Sparse Files"
 */
export const oldSparse = async (block: Uint8Array, source: ByteSource): Promise<SparseFile | string> => {
  const size = parseNumber(block.subarray(483, 495));
  if (size === undefined || size < 0) return "its size is no number that can be handled";
  const flat: (number | undefined)[] = [];
  takeExtents(flat, block.subarray(386, 386 + 4 * 24));
  for (let more = block[482] !== 0; more; ) {
    if (flat.length / 2 > mostExtents) return tooMany;
    const next = await source.read(blockSize);
    if (next.byteLength < blockSize) return "its list of extents ends early";
    takeExtents(flat, next.subarray(0, 21 * 24));
    more = next[504] !== 0;
  }
  return described(size, flat, 0);
};

/** The three ways by pax records, of which the last has the extents at the beginning of the body. */
export const paxSparse = async (
  records: Readonly<Record<string, string>>,
  source: ByteSource,
): Promise<SparseFile | string> => {
  const { "GNU.sparse.major": major = "0", "GNU.sparse.minor": minor = "0", "GNU.sparse.name": name } = records;
  const text = records["GNU.sparse.realsize"] ?? records["GNU.sparse.size"] ?? "";
  const size = parseDecimal(text);
  if (size === undefined) return "its size is no number that can be handled";
  if (major === "0") return described(size, numbersOf(records["GNU.sparse.map"] ?? ""), 0, name);
  if (major !== "1" || minor !== "0") return `its form, ${major}.${minor}, is not known`;
  const before = source.position;
  const flat = await leadingMap(source);
  return typeof flat === "string" ? flat : described(size, flat, source.position - before, name);
};

const tooMany = `it has more than ${mostExtents} extents`;

const takeExtents = (flat: (number | undefined)[], bytes: Uint8Array): void => {
  for (let at = 0; at + 24 <= bytes.byteLength && bytes[at] !== 0 && bytes[at + 12] !== 0; at += 24)
    flat.push(parseNumber(bytes.subarray(at, at + 12)), parseNumber(bytes.subarray(at + 12, at + 24)));
};

const numbersOf = (text: string): (number | undefined)[] => (text === "" ? [] : text.split(",").map(parseDecimal));

/** More digits no number has. */
const longestLine = 20;

/** Lines of decimal numbers, the first of them the count of extents; padded to whole blocks. */
const leadingMap = async (source: ByteSource): Promise<(number | undefined)[] | string> => {
  const numbers: (number | undefined)[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let rest = "";
  while (numbers.length < wanted) {
    const block = await source.read(blockSize);
    if (block.byteLength < blockSize) return "its list of extents ends early";
    const lines = (rest + String.fromCharCode(...block)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (wanted !== Number.POSITIVE_INFINITY) numbers.push(parseDecimal(line));
      else {
        const count = parseDecimal(line);
        if (count === undefined) return "its list of extents is no list of numbers";
        if (count > mostExtents) return tooMany;
        wanted = 2 * count;
      }
      if (numbers.length === wanted) break;
    }
    if (numbers.length < wanted && rest.length > longestLine) return "its list of extents is no list of numbers";
  }
  return numbers;
};

/** Extents in order, none empty, none beyond the end. */
const described = (
  size: number,
  flat: readonly (number | undefined)[],
  mapSize: number,
  name?: string,
): SparseFile | string => {
  if (flat.length / 2 > mostExtents) return tooMany;
  const extents: Extent[] = [];
  let end = 0;
  for (let i = 0; i < flat.length; i += 2) {
    const [offset, length] = [flat[i], flat[i + 1]];
    if (offset === undefined || length === undefined || offset < 0 || length < 0)
      return "its list of extents is no list of numbers";
    if (offset < end || offset + length > size) return "its extents overlap or lie beyond its end";
    if (length > 0) extents.push({ offset, size: length });
    end = offset + length;
  }
  return { size, name, extents, mapSize };
};

/** Bytes of all extents together. */
export const storedSize = (extents: readonly Extent[]): number => extents.reduce((sum, { size }) => sum + size, 0);

/** What a body of the newest form begins with. GNU tar makes a file as long as its last extent says, so a hole at the end needs one. */
export const formatMap = (extents: readonly Extent[], size: number): Uint8Array => {
  const last = extents.at(-1);
  const isWhole = last !== undefined && last.offset + last.size === size;
  const all = isWhole ? extents : [...extents, { offset: size, size: 0 }];
  const text = [all.length, ...all.flatMap((extent) => [extent.offset, extent.size])].join("\n");
  const bytes = new Uint8Array(Math.ceil((text.length + 1) / blockSize) * blockSize);
  bytes.set(Buffer.from(`${text}\n`, "latin1"));
  return bytes;
};

/** Zeros are given out in pieces of this many bytes. */
const zeroPiece = 64 * 1024;

/** The content of a sparse file from its data: zeros where the holes are. */
export async function* withHoles(
  data: AsyncIterable<Uint8Array>,
  size: number,
  extents: readonly Extent[],
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let index = 0;
  let left = extents[0]?.size ?? 0;
  for await (let chunk of data)
    while (chunk.byteLength > 0) {
      const extent = extents[index];
      if (extent === undefined) break;
      if (left === extent.size) {
        yield* zeros(extent.offset - at);
        at = extent.offset;
      }
      const part = chunk.subarray(0, left);
      chunk = chunk.subarray(part.byteLength);
      at += part.byteLength;
      left -= part.byteLength;
      if (left === 0) left = extents[++index]?.size ?? 0;
      yield part;
    }
  yield* zeros(size - at);
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= zeroPiece) yield new Uint8Array(Math.min(left, zeroPiece));
}
