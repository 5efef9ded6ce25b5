import { availableParallelism } from "node:os";
import { gzip } from "../compression/index.ts";
import { collect } from "../content/index.ts";

/** A place in the blob that is told once it is known. */
export interface Place {
  offset: number;
}

/** What a blob of several gzip members is made of, in order. */
export type Part =
  /** A member begins here; its place in the blob is written into `place`. */
  | { readonly kind: "member"; readonly place: Place }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Done when all places of the parts before are known. */
  | { readonly kind: "placed"; readonly done: () => Promise<void> };

export interface MembersOptions {
  /** Level of the compression. */
  readonly level: number;
}

/** Bytes of a member up to which it waits in memory, so that it is compressed beside others. */
const largestGathered = 1024 * 1024;
/** Bytes that wait so at most, and members. */
const [mostBytes, mostMembers] = [2 * 1024 * 1024, 4 * (availableParallelism() + 1)];

interface Gathered {
  readonly place: Place;
  readonly pieces: Uint8Array[];
  readonly done: (() => Promise<void>)[];
  bytes: number;
}

/**
 * Compresses parts as gzip members, one behind the other. Small members, of which a layer has thousands, are compressed side by side; a large one
 * alone, as a stream. Memory is bounded by some megabytes. Returns the size of all.
 */
export async function* gzipMembers(
  parts: AsyncIterable<Part>,
  { level }: MembersOptions,
): AsyncGenerator<Uint8Array, number> {
  const source = parts[Symbol.asyncIterator]();
  const ahead: (Gathered & { readonly made: Promise<Uint8Array> })[] = [];
  let [offset, waiting] = [0, 0];

  async function* settle(until: () => boolean): AsyncGenerator<Uint8Array> {
    while (ahead.length > 0 && !until()) {
      const { place, made, bytes, done } = ahead.shift() as (typeof ahead)[number];
      const compressed = await made;
      place.offset = offset;
      offset += compressed.byteLength;
      waiting -= bytes;
      for (const each of done) await each();
      if (compressed.byteLength > 0) yield compressed;
    }
  }

  /** What a member that is too large to wait is made of, the rest read as it is asked for. */
  async function* whole(member: Gathered, next: { place?: Place }): AsyncGenerator<Uint8Array> {
    yield* member.pieces.splice(0);
    for (let part = await source.next(); !part.done; part = await source.next()) {
      if (part.value.kind === "member") {
        next.place = part.value.place;
        return;
      }
      if (part.value.kind === "bytes") yield part.value.bytes;
      else await part.value.done();
    }
  }

  try {
    for (let place: Place | undefined = { offset: 0 }; place !== undefined; ) {
      const member: Gathered = { place, pieces: [], done: [], bytes: 0 };
      const next: { place?: Place } = {};
      let isOpen = true;
      while (isOpen && member.bytes <= largestGathered) {
        const part = await source.next();
        if (part.done) isOpen = false;
        else if (part.value.kind === "member") [isOpen, next.place] = [false, part.value.place];
        else if (part.value.kind === "placed") member.done.push(part.value.done);
        else {
          member.pieces.push(part.value.bytes);
          member.bytes += part.value.bytes.byteLength;
        }
      }
      if (!isOpen) {
        const made = member.bytes === 0 ? Promise.resolve(new Uint8Array()) : compressed(member.pieces, level);
        // Seen when its turn comes; until then it must not count as unhandled.
        made.catch(() => {});
        ahead.push({ ...member, made });
        waiting += member.bytes;
        yield* settle(() => waiting <= mostBytes && ahead.length <= mostMembers);
      } else {
        yield* settle(() => false);
        place.offset = offset;
        for (const each of member.done) await each();
        for await (const piece of gzip(whole(member, next), { level })) {
          offset += piece.byteLength;
          yield piece;
        }
      }
      place = next.place;
    }
    yield* settle(() => false);
    return offset;
  } finally {
    await Promise.allSettled(ahead.map(({ made }) => made));
    await source.return?.();
  }
}

const compressed = (pieces: readonly Uint8Array[], level: number): Promise<Uint8Array> =>
  collect(gzip(each(pieces), { level }), Number.POSITIVE_INFINITY, "a member");

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
