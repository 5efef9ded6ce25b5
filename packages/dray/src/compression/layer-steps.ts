import { detach } from "../content/index.ts";
import type { HashAnswer, HashStep } from "../hash/index.ts";
import { digester } from "../oci/index.ts";
import type { Handler } from "../threads/index.ts";
import { decompressed } from "./decompress.ts";

/** Bytes that came and were not read yet. */
interface Incoming {
  readonly bytes: Uint8Array;
  readonly read: () => void;
  readonly failed: (error: unknown) => void;
}

/** The digests of one layer as a thread computes them. Bytes are answered when they are read, so that no more come than are read. */
export const layerSteps = (): Handler<HashStep, HashAnswer> => {
  const incoming: Incoming[] = [];
  /** What a decompressor may still look at. */
  const lent = new Map<Uint8Array, Incoming>();
  let over = false;
  let wake = (): void => {};
  let failure: { readonly error: unknown } | undefined;
  let digests: Promise<HashAnswer> | undefined;

  const next = async (): Promise<Incoming | undefined> => {
    while (incoming.length === 0 && !over)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return incoming.shift();
  };

  const compute = async ({ algorithm, inside = algorithm }: HashStep): Promise<HashAnswer> => {
    const outer = digester(algorithm);
    const inner = digester(inside);
    /** The bytes as they lie. */
    async function* hashed(): AsyncGenerator<Uint8Array> {
      for (let some = await next(); some !== undefined; some = await next()) {
        outer.update(some.bytes);
        lent.set(some.bytes, some);
        yield some.bytes;
      }
    }
    const release = (chunk: Uint8Array): void => {
      lent.get(chunk)?.read();
      lent.delete(chunk);
    };
    try {
      for await (const chunk of decompressed(hashed(), { release, lends: true })) {
        inner.update(chunk);
        detach(chunk);
      }
      for (const { read } of lent.values()) read();
      return { digest: outer.digest(), inside: inner.digest() };
    } catch (error) {
      failure = { error };
      for (const { failed } of [...lent.values(), ...incoming.splice(0)]) failed(error);
      lent.clear();
      throw error;
    }
  };

  return (step, bytes) => {
    if (failure !== undefined) throw failure.error;
    if (digests === undefined) {
      digests = compute(step);
      // Told to whoever asks for them; until then it must not count as unhandled.
      digests.catch(() => {});
    }
    if (bytes === undefined) {
      over = true;
      if (step.abandoned === true) for (const { read } of incoming.splice(0)) read();
      wake();
      return step.digest === true ? digests : {};
    }
    return new Promise((resolve, reject) => {
      incoming.push({ bytes, read: () => resolve({}), failed: reject });
      wake();
    });
  };
};
