/**
 * Passes bytes on while somebody else reads the same, neither faster than the other. Gives what came of that when both have seen all.
 * @throws what the other reader throws, as soon as it does
 */
export async function* teed<T>(
  chunks: AsyncIterable<Uint8Array>,
  consume: (copy: AsyncIterable<Uint8Array>) => Promise<T>,
): AsyncGenerator<Uint8Array, T> {
  let offered: { readonly chunk: Uint8Array; readonly taken: () => void } | undefined;
  let over = false;
  let wake = (): void => {};
  async function* copy(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (offered !== undefined) {
        const { chunk, taken } = offered;
        offered = undefined;
        yield chunk.subarray();
        taken();
      } else if (over) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  const consumed = consume(copy());
  // Heard below; until then it must not count as unhandled.
  consumed.catch(() => {});
  try {
    for await (const chunk of chunks) {
      const taken = new Promise<void>((resolve) => {
        offered = { chunk, taken: resolve };
      });
      wake();
      // Nobody's own: the other one may still look at it.
      yield chunk.subarray();
      await Promise.race([taken, consumed]);
    }
  } finally {
    over = true;
    wake();
  }
  return consumed;
}
