import { instantiate, type WasmModule } from "./webassembly.ts";

/** What the encoder exports. */
interface EncoderExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly input: { readonly value: number };
  readonly output: { readonly value: number };
  readonly compress: (length: number, level: number) => number;
}

/** One encoder with its memory of 3 MiB: a segment goes in part by part, and comes out whole. */
export class Encoder {
  readonly #wasm: EncoderExports;
  #filled = 0;

  /** @throws DrayError `UNSUPPORTED` where WebAssembly is refused */
  constructor(module: WasmModule) {
    this.#wasm = instantiate(module);
  }

  add(part: Uint8Array): void {
    const { memory, input } = this.#wasm;
    new Uint8Array(memory.buffer, input.value + this.#filled, part.byteLength).set(part);
    this.#filled += part.byteLength;
  }

  /** The segment compressed, to be looked at before anything else is added; nothing where it would not be shorter than it was. */
  finish(level: number): Uint8Array | undefined {
    const { memory, output, compress } = this.#wasm;
    const before = this.#filled;
    this.#filled = 0;
    const size = compress(before, level);
    return size < before ? new Uint8Array(memory.buffer, output.value, size) : undefined;
  }
}
