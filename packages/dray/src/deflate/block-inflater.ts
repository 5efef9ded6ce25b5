import { DrayError } from "../errors.ts";
import { inflaterWasm } from "./inflater.wasm.ts";
import { compile, instantiate } from "./webassembly.ts";

interface InflaterExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  begin(): void;
  place(): number;
  room(): number;
  inflate(more: number, last: number): number;
  madeAt(): number;
  madeSize(): number;
  bitsTaken(): number;
  setMark(): void;
  reachOfMark(): number;
}

const cannot = "the blocks of a layer cannot be told here";

const [blockEnded, streamEnded, isDamaged, needsInput] = [2, 3, 4, 0] as const;

/** Bytes that DEFLATE data looks back at most. */
const windowSize = 32 * 1024;

/** Where a block begins that reading can begin at, with the 32 KiB of plain bytes before it. */
export interface BlockStart {
  /** Bits of DEFLATE data before it. */
  readonly bits: number;
  /** Plain bytes before it. */
  readonly bytes: number;
}

/**
 * Decompresses one stream of DEFLATE data (RFC 1951) and tells where each block begins, to the bit, which the runtimes' own zlib does not. Its memory is 576 KiB.
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly
 */
export class BlockInflater {
  readonly #wasm: InflaterExports = instantiate(compile(inflaterWasm, cannot), cannot);
  readonly #onBlock: (start: BlockStart) => void;
  #made = 0;
  /** The last block has ended: nothing more is taken. */
  hasEnded = false;

  /** @param onBlock hears of each block but the first, when the one before it has ended */
  constructor(onBlock: (start: BlockStart) => void) {
    this.#onBlock = onBlock;
    this.#wasm.begin();
  }

  /** Begins with another stream. */
  restart(): void {
    this.#wasm.begin();
    this.#made = 0;
    this.hasEnded = false;
  }

  /** When a block begins: marks that place. Gives the plain bytes before it, up to 32 KiB, which are the caller's. */
  mark(): Uint8Array {
    const wasm = this.#wasm;
    const end = wasm.madeAt() + wasm.madeSize();
    wasm.setMark();
    const size = Math.min(windowSize, this.#made);
    return new Uint8Array(wasm.memory.buffer, end - size, size).slice();
  }

  /** How many of the bytes before the mark what came since looks back at. */
  get reach(): number {
    return this.#wasm.reachOfMark();
  }

  /** Bytes of DEFLATE data that were taken; once it has ended, all that belong to it. */
  get taken(): number {
    return Math.ceil(this.#wasm.bitsTaken() / 8);
  }

  /**
   * The plain bytes that come of more data, in pieces each of which is there until the next one is asked for. To be read to the end before more is given.
   * @param last whether nothing comes after these
   * @throws DrayError `MANIFEST_INVALID` for data that is damaged or ends early
   */
  *inflate(bytes: Uint8Array, last: boolean): Generator<Uint8Array> {
    const wasm = this.#wasm;
    let given = 0;
    let why: number = needsInput;
    do {
      let more = 0;
      if (why === needsInput) {
        const place = wasm.place();
        more = Math.min(wasm.room(), bytes.byteLength - given);
        new Uint8Array(wasm.memory.buffer, place, more).set(bytes.subarray(given, given + more));
        given += more;
      }
      why = wasm.inflate(more, last && given === bytes.byteLength ? 1 : 0);
      const size = wasm.madeSize();
      this.#made += size;
      if (size > 0) yield new Uint8Array(wasm.memory.buffer, wasm.madeAt(), size);
      if (why === isDamaged) throw new DrayError("MANIFEST_INVALID", "the gzip data is damaged or ends early");
      if (why === streamEnded) this.hasEnded = true;
      if (why === blockEnded) this.#onBlock({ bits: wasm.bitsTaken(), bytes: this.#made });
    } while (!this.hasEnded && (why !== needsInput || given < bytes.byteLength));
  }
}
