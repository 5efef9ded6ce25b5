/** A body that comes when a test says so. */
export interface BodyByHand extends AsyncIterable<Uint8Array> {
  /** Resolves when the reader asks for more. */
  push(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** The client vanishes. */
  fail(error: Error): void;
}

export const bodyByHand = (): BodyByHand => {
  const steps: { result: IteratorResult<Uint8Array> | Error; taken: () => void }[] = [];
  let hungry: (() => void) | undefined;
  const add = (result: IteratorResult<Uint8Array> | Error): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    steps.push({ result, taken: resolve });
    hungry?.();
    return promise;
  };
  let before: (() => void) | undefined;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    before?.();
    for (let step = steps.shift(); ; step = steps.shift()) {
      if (step === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        hungry = resolve;
        await promise;
        continue;
      }
      before = step.taken;
      if (step.result instanceof Error) throw step.result;
      return step.result;
    }
  };
  return {
    push: (value) => add({ done: false, value }),
    end: () => void add({ done: true, value: undefined }),
    fail: (error) => void add(error),
    [Symbol.asyncIterator]: () => ({ next }),
  };
};

/** Bytes as a request would bring them. */
export async function* inChunks(bytes: Uint8Array, size: number = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}
