import { deflateRawSync, inflateRawSync } from "node:zlib";
import { parseJson } from "../oci/index.ts";
import { digestSize, sha256 } from "./block-digests.ts";
import type { GzipMember, RestartPoint } from "./gzip-scan.ts";

/**
 * An index begins with its pieces, each DEFLATE data: windows of restart points, and lines of entries. Behind them come digests, first those of the
 * blob's blocks and then those of the pieces; facts as compressed JSON; and a foot of 60 bytes, which says how many bytes of both there are and has the
 * SHA-256 of all but the pieces.
 */
export const footSize = 60;

const [mark, version] = ["dray-layer-index", 1] as const;

/** Where decompressing can begin: a restart point, with the piece that has its window. */
export interface KeptPoint extends Omit<RestartPoint, "window"> {
  readonly piece: number | undefined;
}

/** What an index says. */
export interface IndexFacts {
  /** Of the blob. */
  readonly digest: string;
  readonly size: number;
  /** How the tar lies in it. */
  readonly compression: "gzip" | "none";
  /** Bytes of the tar. */
  readonly plainSize: number;
  readonly members: readonly GzipMember[];
  readonly points: readonly KeptPoint[];
  /** Bytes of each piece. */
  readonly pieces: readonly number[];
  /** The pieces that have entries, each with the offset of its first. */
  readonly entries: readonly { readonly piece: number; readonly offset: number }[];
}

/** What lies behind the pieces. */
export interface IndexEnd {
  readonly facts: IndexFacts;
  readonly blockDigests: Uint8Array;
  readonly pieceDigests: Uint8Array;
}

export const writeEnd = ({ facts, blockDigests, pieceDigests }: IndexEnd): Uint8Array => {
  const { members, points, entries, ...rest } = facts;
  const json = deflateRawSync(
    JSON.stringify({
      ...rest,
      members: members.flatMap(({ start, end, bytes }) => [start, end, bytes]),
      points: points.flatMap(({ bits, bytes, piece }) => [bits, bytes, piece ?? -1]),
      entries: entries.flatMap(({ piece, offset }) => [piece, offset]),
    }),
  );
  const digests = Buffer.concat([blockDigests, pieceDigests]);
  const foot = Buffer.alloc(footSize - digestSize);
  foot.write(mark, "latin1");
  foot.writeUInt32LE(version, mark.length);
  foot.writeUInt32LE(digests.byteLength, mark.length + 4);
  foot.writeUInt32LE(json.byteLength, mark.length + 8);
  const whole = Buffer.concat([digests, json, foot]);
  return Buffer.concat([whole, sha256(whole)]);
};

/** How many bytes lie behind the pieces, by the foot; `undefined` where it is that of no index, or of one of another version. */
export const endSize = (foot: Uint8Array): number | undefined => {
  const bytes = Buffer.from(foot.buffer, foot.byteOffset, foot.byteLength);
  if (bytes.byteLength !== footSize || bytes.toString("latin1", 0, mark.length) !== mark) return undefined;
  if (bytes.readUInt32LE(mark.length) !== version) return undefined;
  return bytes.readUInt32LE(mark.length + 4) + bytes.readUInt32LE(mark.length + 8) + footSize;
};

/** What was written; `undefined` where it is not that any more. */
export const readEnd = (end: Uint8Array): IndexEnd | undefined => {
  const whole = end.subarray(0, -digestSize);
  if (Buffer.compare(sha256(whole), end.subarray(-digestSize)) !== 0) return undefined;
  const foot = Buffer.from(end.buffer, end.byteOffset + end.byteLength - footSize, footSize);
  const digestsSize = foot.readUInt32LE(mark.length + 4);
  const text = inflateRawSync(end.subarray(digestsSize, end.byteLength - footSize));
  // It has the digest that was written with it: nobody else made this.
  const { members, points, entries, ...rest } = parseJson(text, "index of a layer") as Omit<IndexFacts, Lists> &
    Record<Lists, readonly number[]>;
  const facts: IndexFacts = {
    ...rest,
    members: tuples(members, 3).map(([start = 0, last = 0, bytes = 0]) => ({ start, end: last, bytes })),
    points: tuples(points, 3).map(([bits = 0, bytes = 0, piece = -1]) => ({
      bits,
      bytes,
      piece: piece < 0 ? undefined : piece,
    })),
    entries: tuples(entries, 2).map(([piece = 0, offset = 0]) => ({ piece, offset })),
  };
  const piecesAt = digestsSize - facts.pieces.length * digestSize;
  return { facts, blockDigests: end.subarray(0, piecesAt), pieceDigests: end.subarray(piecesAt, digestsSize) };
};

type Lists = "members" | "points" | "entries";

const tuples = (numbers: readonly number[], length: number): (readonly number[])[] =>
  Array.from({ length: numbers.length / length }, (_, i) => numbers.slice(i * length, (i + 1) * length));
