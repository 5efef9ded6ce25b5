import type { Descriptor } from "../oci/index.ts";
import type { Content } from "./bytes.ts";
import type { OnEvent } from "./events.ts";
import type { ReadableStore } from "./store.ts";
import { transfersAs } from "./transferable.ts";

/** Progress in steps of this many bytes is fine enough for eyes, and cheap. */
const step = 256 * 1024;

/**
 * A store's blob to send, which tells how far it is. Opened again after a failure it starts before where it was; only
 * bytes beyond the furthest point count, so that progress never goes backwards and never exceeds the size.
 */
export const meteredContent = (
  source: Pick<ReadableStore, "read">,
  descriptor: Descriptor,
  { verify, onEvent }: { verify: boolean; onEvent: OnEvent },
): Content => {
  let furthest = -1;
  /** Where it was first opened; earlier where what was there turned out to be of no use. */
  let begun = Number.POSITIVE_INFINITY;
  return {
    size: descriptor.size,
    open: transfersAs<Content["open"]>(source, async function* ({ offset = 0, signal } = {}) {
      if (offset < begun) {
        onEvent({ type: "start", descriptor, offset });
        begun = offset;
        furthest = Math.max(furthest, offset);
      }
      let at = offset;
      const tell = (): void => {
        if (at > furthest) onEvent({ type: "bytes", descriptor, bytes: at - furthest });
        furthest = Math.max(furthest, at);
      };
      for await (const chunk of source.read(descriptor, { kind: "blob", offset, verify, onEvent, signal })) {
        at += chunk.byteLength;
        if (at - furthest >= step) tell();
        yield chunk;
      }
      tell();
    }),
  };
};
