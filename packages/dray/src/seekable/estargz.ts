import { defaultLevel, gzip } from "../compression/index.ts";
import { type Cancel, type Content, passedOver } from "../content/index.ts";
import { DrayError, throwIfAborted } from "../errors.ts";
import { digesterFor } from "../hash/index.ts";
import { refuseNumber } from "../numbers.ts";
import { type Digest, digester } from "../oci/index.ts";
import { endOfArchive, padding, writeHeader } from "../tar/index.ts";
import { footerFor } from "./footer.ts";
import { gzipMembers, type Part, type Place } from "./members.ts";
import { type EntryWithBody, orderedEntries } from "./ordered-entries.ts";
import { estargzAnnotations, landmarkBytes, landmarks, type TocEntry, tocEntryOf, tocName } from "./toc.ts";
import { TocText } from "./toc-text.ts";

/** How a layer becomes eStargz. */
export interface EstargzOptions {
  /** Level of gzip, 1 to 9. Default 1. */
  readonly level?: number;
  /** Bytes of a file that lie together, and are read together. Default 4 MiB. */
  readonly chunkSize?: number;
  /**
   * Files that are wanted first, in this order: whoever starts the image gets them by one request. Paths from the root; folders and what hard
   * links stand for come along. The tar is read several times then.
   */
  readonly prioritized?: readonly string[];
}

/** What is known of an eStargz layer once it was written. */
export interface EstargzFacts {
  /** Digest of the tar inside, which has a table of contents more than the one that it was made of. */
  readonly diffID: Digest;
  /** Bytes of that tar. */
  readonly uncompressedSize: number;
  /** Digest of the table of contents. */
  readonly tocDigest: Digest;
  /** What the descriptor of the layer says, so that parts of it can be checked alone. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** An eStargz layer that is made when it is read. */
export interface Estargz extends Content {
  /** @throws DrayError `USAGE` before it was read to its end */
  facts(): EstargzFacts;
}

/**
 * A layer as eStargz: gzip like any other, of which single files can be read by ranges and checked alone. Nothing is kept but its table of
 * contents, compressed; the same tar makes the same bytes everywhere.
 * @param tar any tar, compressed or not; what an earlier eStargz has added is replaced
 * @throws DrayError when it is read: `NOT_FOUND` for a prioritized file that is not there, `UNSUPPORTED` for entries of a kind that the table of
 *   contents has no word for, and for a file behind a hard link to its name, which is another file, `ARCHIVE_INVALID`, and what reading the tar throws
 * @see https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md
 * @example const layer = await ingestLayer(target, "rootfs.tar", { estargz: { prioritized: ["usr/bin/app"] } });
 */
export const estargz = (tar: Content, options: EstargzOptions = {}): Estargz => {
  const { level = defaultLevel, chunkSize = 4 * 1024 * 1024, prioritized = [] } = options;
  refuseNumber("level", level, { from: 1, to: 9 });
  refuseNumber("chunkSize", chunkSize, { from: 1 });
  let facts: EstargzFacts | undefined;
  const parts = { level, chunkSize, prioritized, onFacts: (known: EstargzFacts) => void (facts = known) };
  return {
    open: ({ offset = 0, signal } = {}) => passedOver(offset, written(tar, { ...parts, signal })),
    facts: () => {
      if (facts === undefined)
        throw new DrayError("USAGE", "an eStargz layer is known when it was read to its end; read it first");
      return facts;
    },
  };
};

interface Writing extends Required<EstargzOptions>, Cancel {
  readonly onFacts: (facts: EstargzFacts) => void;
}

async function* written(tar: Content, { level, onFacts, ...writing }: Writing): AsyncGenerator<Uint8Array> {
  const toc = new TocText();
  const inside = digesterFor("sha256");
  let uncompressedSize = 0;
  const count = async (bytes: Uint8Array): Promise<Uint8Array> => {
    await inside.update(bytes);
    uncompressedSize += bytes.byteLength;
    return bytes;
  };
  try {
    const tocOffset = yield* gzipMembers(counted(partsOf(tar, toc, writing), count), { level });
    const { size, digest: tocDigest, chunks } = await toc.end();
    yield* gzip(tocTar(size, chunks, count), { level });
    yield footerFor(tocOffset);
    onFacts({
      diffID: await inside.digest(),
      uncompressedSize,
      tocDigest,
      annotations: {
        [estargzAnnotations.tocDigest]: tocDigest,
        [estargzAnnotations.uncompressedSize]: String(uncompressedSize),
      },
    });
  } finally {
    inside.abandon();
  }
}

type Count = (bytes: Uint8Array) => Promise<Uint8Array>;

async function* counted(parts: AsyncIterable<Part>, count: Count): AsyncGenerator<Part> {
  for await (const part of parts) {
    if (part.kind === "bytes") await count(part.bytes);
    yield part;
  }
}

async function* tocTar(size: number, chunks: AsyncIterable<Uint8Array>, count: Count): AsyncGenerator<Uint8Array> {
  yield await count(writeHeader({ name: tocName, size }));
  for await (const chunk of chunks) yield await count(chunk);
  yield await count(padding(size));
  yield await count(endOfArchive());
}

async function* partsOf(
  tar: Content,
  toc: TocText,
  { chunkSize, prioritized, signal }: Omit<Writing, "level" | "onFacts">,
): AsyncGenerator<Part> {
  const name = prioritized.length === 0 ? landmarks.noPrefetch : landmarks.prefetch;
  for await (const { entry, body } of orderedEntries(tar, { prioritized, signal }, () => landmark(name))) {
    throwIfAborted(signal);
    // A sparse file is written whole: the table tells of its data from the beginning to the end.
    const { extents: _, ...whole } = entry;
    const said = tocEntryOf(whole);
    if (said === undefined || whole.type === "other")
      throw new DrayError(
        "UNSUPPORTED",
        `the layer has an entry "${entry.name}" of a vendor's own kind, for which eStargz has no word; make it without`,
      );
    yield { kind: "bytes", bytes: writeHeader({ ...whole, type: whole.type }) };
    const tells = yield* dataOf(said, { ...whole, body }, chunkSize);
    yield {
      kind: "placed",
      done: async () => {
        for (const each of tells()) await toc.add(each);
      },
    };
    yield { kind: "bytes", bytes: padding(entry.size) };
  }
}

/** The data of an entry in members of its own. Returns what the table says of it once its members have their places. */
async function* dataOf(
  said: TocEntry,
  { name, size, body }: { readonly name: string; readonly size: number; readonly body: AsyncIterable<Uint8Array> },
  chunkSize: number,
): AsyncGenerator<Part, () => readonly TocEntry[]> {
  if (said.type !== "reg") return () => [said];
  const whole = digester("sha256");
  const chunks: { readonly place: Place; readonly chunkOffset: number; readonly chunkDigest: string }[] = [];
  let [chunk, at] = [digester("sha256"), 0];
  for await (let bytes of body)
    while (bytes.byteLength > 0) {
      const from = at % chunkSize;
      if (from === 0) {
        const place = { offset: 0 };
        yield { kind: "member", place };
        chunks.push({ place, chunkOffset: at, chunkDigest: "" });
        chunk = digester("sha256");
      }
      const piece = bytes.subarray(0, chunkSize - from);
      bytes = bytes.subarray(piece.byteLength);
      at += piece.byteLength;
      chunk.update(piece);
      // A file of one part has one digest.
      if (size > chunkSize) whole.update(piece);
      yield { kind: "bytes", bytes: piece };
      if (at % chunkSize === 0 || at === size)
        chunks.push({ ...(chunks.pop() as (typeof chunks)[number]), chunkDigest: chunk.digest() });
    }
  const [only] = chunks;
  const digest = chunks.length === 1 && only !== undefined ? only.chunkDigest : whole.digest();
  if (only === undefined) return () => [{ ...said, digest }];
  return () =>
    chunks.map(({ place: { offset }, chunkOffset, chunkDigest }, i) => ({
      ...(i === 0 ? { ...said, size, digest } : { name, type: "chunk" as const }),
      offset,
      chunkOffset: i === 0 ? undefined : chunkOffset,
      chunkSize: i === chunks.length - 1 ? undefined : chunkSize,
      chunkDigest,
    }));
}

const landmark = (name: string): EntryWithBody => ({
  entry: {
    name,
    type: "file",
    size: landmarkBytes.byteLength,
    linkName: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    uname: "",
    gname: "",
    mtime: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    pax: {},
  },
  body: landmarkBody(),
});

async function* landmarkBody(): AsyncGenerator<Uint8Array> {
  yield landmarkBytes;
}
