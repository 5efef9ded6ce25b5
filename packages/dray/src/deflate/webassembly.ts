import { DrayError, reasonOf } from "../errors.ts";
import { encoderWasm } from "./encoder.wasm.ts";

/** What was compiled: threads share it. */
export type WasmModule = object;

/** As much of the runtime's WebAssembly as is used here; the types of Node have none. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule) => { readonly exports: unknown };
}

const api = (): WebAssemblyApi | undefined => (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;

const compiled = new Map<string, WasmModule>();

/**
 * The encoder, compiled once.
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly, or none that may be compiled
 */
export const encoderModule = (): WasmModule => compile(encoderWasm);

/** @throws DrayError `UNSUPPORTED` where there is no WebAssembly, or none that may be compiled */
export const compile = (text: string, cannot = "layers cannot be compressed here"): WasmModule => {
  const before = compiled.get(text);
  if (before !== undefined) return before;
  const WebAssembly = api();
  if (WebAssembly === undefined) throw unsupported(cannot, "there is no WebAssembly");
  try {
    const module = new WebAssembly.Module(Buffer.from(text, "base64"));
    compiled.set(text, module);
    return module;
  } catch (error) {
    throw unsupported(cannot, `WebAssembly is refused (${reasonOf(error)})`, error);
  }
};

/** @throws DrayError `UNSUPPORTED` where that is refused */
export const instantiate = <E>(module: WasmModule, cannot = "layers cannot be compressed here"): E => {
  const WebAssembly = api();
  if (WebAssembly === undefined) throw unsupported(cannot, "there is no WebAssembly");
  try {
    return new WebAssembly.Instance(module).exports as E;
  } catch (error) {
    throw unsupported(cannot, `WebAssembly is refused (${reasonOf(error)})`, error);
  }
};

/** Another encoder would make other bytes, and so another digest than the one that was promised. */
const unsupported = (cannot: string, why: string, cause?: unknown): DrayError =>
  new DrayError(
    "UNSUPPORTED",
    `${cannot}: ${why}, as with node --jitless. What is compressed elsewhere, or kept as it is, needs none`,
    { cause },
  );
