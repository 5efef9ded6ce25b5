import type { OnEvent } from "../../content/index.ts";
import type { Descriptor } from "../../oci/index.ts";

/** Fine enough for eyes, and cheap. */
const step = 256 * 1024;

/** The same chunks of a layer, compressed as they lie, while it is told how far they are. Read to its end it is done. */
export async function* told(
  chunks: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  onEvent: OnEvent,
): AsyncGenerator<Uint8Array> {
  onEvent({ type: "start", descriptor, offset: 0 });
  let bytes = 0;
  const tell = (): void => {
    if (bytes > 0) onEvent({ type: "bytes", descriptor, bytes });
    bytes = 0;
  };
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes >= step) tell();
    yield chunk;
  }
  tell();
  onEvent({ type: "done", descriptor });
}
