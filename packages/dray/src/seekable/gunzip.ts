import type { Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import { DrayError } from "../errors.ts";

/**
 * What gzip holds, of one member or of several, read only as far as somebody asks: the next compressed bytes are asked for when those before give
 * nothing any more.
 * @throws DrayError `MANIFEST_INVALID` for damaged bytes
 */
export const gunzipped = (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> =>
  drawn(createGunzip({ chunkSize: 64 * 1024 }), chunks);

/**
 * What a decompressor makes, read only as far as somebody asks, as `gunzipped`. It is told of no end of its input.
 * @throws DrayError `MANIFEST_INVALID` for damaged bytes
 */
export async function* drawn(decompressor: Transform, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let wake = (): void => {};
  let failure: unknown;
  decompressor.on("readable", () => wake());
  decompressor.on("error", (error) => {
    failure = error;
    wake();
  });
  try {
    for await (const chunk of chunks) {
      let isTaken = false;
      decompressor.write(chunk, () => {
        isTaken = true;
        wake();
      });
      for (;;) {
        const made = decompressor.read() as Uint8Array | null;
        if (failure !== undefined) throw damaged(failure);
        if (made !== null) yield made;
        else if (isTaken) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    decompressor.destroy();
  }
}

const damaged = (cause: unknown): DrayError => new DrayError("MANIFEST_INVALID", "the gzip data is damaged", { cause });
