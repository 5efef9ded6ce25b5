import type { Handler } from "../threads/index.ts";
import { Encoder } from "./encoder.ts";
import type { WasmModule } from "./webassembly.ts";

/** Takes the bytes that come along; they stay the thread's until the last one is answered. */
export interface DeflateStep {
  /** With the last bytes of a segment: at which level, by what. */
  readonly finish?: { readonly level: number; readonly module: WasmModule };
}

export interface DeflateAnswer {
  /** Bytes of the result, which lies where the segment lay. None: it is not shorter. */
  readonly size?: number;
}

let encoder: Encoder | undefined;

/** One segment as a thread compresses it. All its steps are asked together, so no other segment's come between. */
export const deflateSteps = (): Handler<DeflateStep, DeflateAnswer> => {
  const parts: Uint8Array[] = [];
  return ({ finish }, bytes) => {
    if (bytes !== undefined) parts.push(bytes);
    if (finish === undefined) return {};
    encoder ??= new Encoder(finish.module);
    for (const part of parts) encoder.add(part);
    const result = encoder.finish(finish.level);
    if (result === undefined) return {};
    let at = 0;
    for (const part of parts) {
      const piece = result.subarray(at, at + part.byteLength);
      part.set(piece);
      at += piece.byteLength;
    }
    return { size: result.byteLength };
  };
};
