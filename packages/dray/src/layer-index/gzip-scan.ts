import { crc32 } from "node:zlib";
import { BlockInflater } from "../deflate/index.ts";
import { DrayError } from "../errors.ts";
import { gzipHeadLength, maybeGzip } from "./gzip-head.ts";

/** A place in DEFLATE data at which decompressing can begin, besides the beginning of a member. */
export interface RestartPoint {
  /** Bits of the blob before it. */
  readonly bits: number;
  /** Plain bytes before it. */
  readonly bytes: number;
  /** The plain bytes before it that what follows looks back at: up to 32 KiB, and none where it looks back at nothing. */
  readonly window: Uint8Array;
}

/** The DEFLATE data of one gzip member that is not empty. */
export interface GzipMember {
  /** Its first byte in the blob, and the one behind its last. */
  readonly start: number;
  readonly end: number;
  /** Plain bytes of the members before. */
  readonly bytes: number;
}

/** What is said by default of the plain bytes from one point to the next. */
export const spanSize: number = 1024 * 1024;

/** Compressed bytes that are taken at a time, so that few points wait for who takes them. */
const sliceSize = 16 * 1024;
/** Bytes behind the data of a member that its inflater may have looked at. */
const lookAhead = 1024;
/** Members at most, and bytes of the head of one. */
const [mostMembers, mostHead] = [2 ** 17, 2 ** 20];

const none = new Uint8Array(0);

/**
 * Reads gzip as it comes, of one member or of several, whatever lies behind the last, and tells where decompressing can begin. What it makes is
 * compared with the checksums that the members have.
 */
export class GzipScan {
  readonly members: GzipMember[] = [];
  readonly #settled: RestartPoint[] = [];
  readonly #inflater: BlockInflater;
  #state: "head" | "data" | "tail" | "over" = "head";
  /** Bytes that came. */
  #passed = 0;
  /** Of these, the last ones that are not used yet. */
  #held: Uint8Array = none;
  #plain = 0;
  #count = 0;
  /** Of the member that is read: where its data begins in the blob, its bytes that were taken, the last of these, its plain bytes and their sum. */
  #start = 0;
  #fed = 0;
  #recent: Uint8Array = none;
  #size = 0;
  #sum = 0;
  #pending: RestartPoint | undefined;
  /** Plain bytes before the last point, or before the member. */
  #last = 0;

  /**
   * @param span plain bytes from one point to the next, at least; not less than the 32 KiB that data looks back at
   * @throws DrayError `UNSUPPORTED` where there is no WebAssembly
   */
  constructor(span: number = spanSize) {
    this.#inflater = new BlockInflater(({ bits, bytes }) => {
      const at = this.#plain + bytes;
      if (at - this.#last < span) return;
      this.#settle();
      this.#pending = { bits: this.#start * 8 + bits, bytes: at, window: this.#inflater.mark() };
      this.#last = at;
    });
  }

  /** Plain bytes of the members that have ended. */
  get plainSize(): number {
    return this.#plain;
  }

  /**
   * Takes in the next bytes. To be read to the end before more are given.
   * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED` for more members than anybody needs
   */
  *push(chunk: Uint8Array): Generator<RestartPoint> {
    yield* this.#take(chunk, false);
  }

  /** Nothing comes any more. @throws DrayError `MANIFEST_INVALID` for what ends early */
  *end(): Generator<RestartPoint> {
    yield* this.#take(none, true);
  }

  *#take(chunk: Uint8Array, last: boolean): Generator<RestartPoint> {
    let rest = this.#held.byteLength === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = none;
    this.#passed += chunk.byteLength;
    while (this.#state !== "over") {
      if (this.#state === "data") {
        rest = yield* this.#data(rest, last);
        if (!this.#inflater.hasEnded) return;
        this.#endData(rest);
        yield* this.#settled.splice(0);
      }
      const taken = this.#state === "tail" ? this.#tail(rest) : this.#head(rest, last);
      if (taken === undefined) {
        if (last || rest.byteLength > mostHead) throw damaged();
        this.#held = new Uint8Array(rest);
        return;
      }
      rest = rest.subarray(taken);
    }
  }

  /** Bytes of the head; 0 where there is none, behind the last member. */
  #head(rest: Uint8Array, last: boolean): number | undefined {
    const isNone = !maybeGzip(rest) || (last && rest.byteLength < 3);
    if (isNone && this.#count > 0) {
      this.#state = "over";
      return 0;
    }
    if (isNone) throw damaged();
    const length = rest.byteLength < 3 ? undefined : gzipHeadLength(rest);
    if (length === undefined) return undefined;
    this.#inflater.restart();
    this.#state = "data";
    this.#start = this.#passed - rest.byteLength + length;
    this.#last = this.#plain;
    this.#recent = none;
    [this.#fed, this.#size, this.#sum] = [0, 0, 0];
    this.#count++;
    return length;
  }

  /** Returns what lies behind the data, once that has ended. */
  *#data(rest: Uint8Array, last: boolean): Generator<RestartPoint, Uint8Array> {
    const inflater = this.#inflater;
    let at = 0;
    do {
      const slice = rest.subarray(at, at + sliceSize);
      at += slice.byteLength;
      for (const piece of inflater.inflate(slice, last && at === rest.byteLength)) {
        this.#sum = crc32(piece, this.#sum) >>> 0;
        this.#size += piece.byteLength;
      }
      yield* this.#settled.splice(0);
    } while (!inflater.hasEnded && at < rest.byteLength);
    this.#fed += at;
    if (!inflater.hasEnded) {
      const recent = rest.byteLength >= lookAhead ? rest : Buffer.concat([this.#recent, rest]);
      this.#recent = new Uint8Array(recent.subarray(-lookAhead));
      return none;
    }
    const over = this.#fed - inflater.taken;
    if (over <= at) return rest.subarray(at - over);
    return Buffer.concat([this.#recent.subarray(this.#recent.byteLength - (over - at)), rest]);
  }

  #endData(rest: Uint8Array): void {
    this.#settle();
    const end = this.#passed - rest.byteLength;
    if (this.#size > 0) this.members.push({ start: this.#start, end, bytes: this.#plain });
    if (this.members.length > mostMembers)
      throw new DrayError("LIMIT_EXCEEDED", `the gzip data has more than ${mostMembers} members`);
    this.#plain += this.#size;
    this.#state = "tail";
  }

  #tail(rest: Uint8Array): number | undefined {
    if (rest.byteLength < 8) return undefined;
    const view = new DataView(rest.buffer, rest.byteOffset, 8);
    if (view.getUint32(0, true) !== this.#sum || view.getUint32(4, true) !== this.#size % 2 ** 32) throw damaged();
    this.#state = "head";
    return 8;
  }

  #settle(): void {
    if (this.#pending === undefined) return;
    const { window, ...point } = this.#pending;
    this.#settled.push({ ...point, window: window.subarray(window.byteLength - this.#inflater.reach) });
    this.#pending = undefined;
  }
}

const damaged = (): DrayError => new DrayError("MANIFEST_INVALID", "the gzip data is damaged or ends early");
