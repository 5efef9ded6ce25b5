import { type Content, transfersAs } from "dray/content";
import type { LayerContent } from "dray/image";
import type { Reporter } from "../progress/index.ts";

/** Fine enough for eyes, and cheap. */
const step = 256 * 1024;

/** Does something with content that has no digest yet, while the reporter hears how far it was read. What is read again after a failure counts once. */
export const told = async <T>(
  what: string,
  content: LayerContent,
  { onEvent }: Pick<Reporter, "onEvent">,
  work: (content: LayerContent) => Promise<T>,
): Promise<T> => {
  const size = isContent(content) ? content.size : undefined;
  let furthest = 0;
  let heard = 0;
  const tell = (): void => {
    onEvent({ type: "ingest", what, size, bytes: furthest - heard });
    heard = furthest;
  };
  async function* passing(chunks: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<Uint8Array> {
    let at = from;
    for await (const chunk of chunks) {
      at += chunk.byteLength;
      furthest = Math.max(furthest, at);
      if (furthest - heard >= step) tell();
      yield chunk;
    }
  }
  tell();
  const done = await work(heardContent(content, passing));
  onEvent({ type: "ingest", what, size, bytes: furthest - heard, done: true });
  return done;
};

/** A stream of a file has an `open`, too, and is none. */
const isContent = (content: LayerContent): content is Content =>
  typeof content === "object" && !ArrayBuffer.isView(content) && !(Symbol.asyncIterator in content);

/** Content that tells of itself. A stream stays the one that it is, so that who reads it twice is told. */
const heardContent = (
  content: LayerContent,
  passing: (chunks: AsyncIterable<Uint8Array>, from: number) => AsyncIterable<Uint8Array>,
): LayerContent => {
  if (typeof content === "string" || ArrayBuffer.isView(content)) return content;
  if (!isContent(content)) {
    const before = streams.get(content) ?? passing(content, 0);
    streams.set(content, before);
    return before;
  }
  return {
    ...content,
    open: transfersAs<Content["open"]>(content, (options = {}) => passing(content.open(options), options.offset ?? 0)),
  };
};

const streams = new WeakMap<object, AsyncIterable<Uint8Array>>();
