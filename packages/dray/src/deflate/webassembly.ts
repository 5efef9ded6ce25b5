import { DrayError, reasonOf } from "../errors.ts";
import { encoderWasm } from "./encoder.wasm.ts";

/** What was compiled: threads share it. */
export type WasmModule = object;

/** What the encoder exports. */
export interface EncoderExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly input: { readonly value: number };
  readonly output: { readonly value: number };
  readonly compress: (length: number, level: number) => number;
}

/** As much of the runtime's WebAssembly as is used here; the types of Node have none. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule) => { readonly exports: unknown };
}

const api = (): WebAssemblyApi | undefined => (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;

let compiled: WasmModule | undefined;

/**
 * The encoder, compiled once.
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly, or none that may be compiled
 */
export const encoderModule = (): WasmModule => {
  if (compiled !== undefined) return compiled;
  const WebAssembly = api();
  if (WebAssembly === undefined) throw unsupported("there is no WebAssembly");
  try {
    return (compiled = new WebAssembly.Module(Buffer.from(encoderWasm, "base64")));
  } catch (error) {
    throw unsupported(`WebAssembly is refused (${reasonOf(error)})`, error);
  }
};

/** @throws DrayError `UNSUPPORTED` where that is refused */
export const instantiate = (module: WasmModule): EncoderExports => {
  const WebAssembly = api();
  if (WebAssembly === undefined) throw unsupported("there is no WebAssembly");
  try {
    return new WebAssembly.Instance(module).exports as EncoderExports;
  } catch (error) {
    throw unsupported(`WebAssembly is refused (${reasonOf(error)})`, error);
  }
};

/** Another encoder would make other bytes, and so another digest than the one that was promised. */
const unsupported = (why: string, cause?: unknown): DrayError =>
  new DrayError(
    "UNSUPPORTED",
    `layers cannot be compressed here: ${why}, as with node --jitless. What is compressed elsewhere, or kept as it is, needs none`,
    { cause },
  );
