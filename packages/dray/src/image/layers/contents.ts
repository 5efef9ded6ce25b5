import { bytesContent, type Content } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { fileContent, nodeFiles } from "../../files/index.ts";

/** Bytes of a layer to be: in memory, in the file of that path, content that can be opened again, or a stream, which is read once. */
export type LayerContent = Uint8Array | string | Content | AsyncIterable<Uint8Array>;

/** The same as content. `what` names a stream in the error that it gets who reads it again. */
export const contentOf = (given: LayerContent, what: string): Content => {
  if (typeof given === "string") return fileContent(nodeFiles, given);
  if (ArrayBuffer.isView(given)) return bytesContent(given);
  return Symbol.asyncIterator in given ? onceContent(given, what) : given;
};

const onceContent = (chunks: AsyncIterable<Uint8Array>, what: string): Content => ({
  open: ({ offset = 0 } = {}) => {
    if (opened.has(chunks) || offset > 0)
      throw new DrayError("CONSUMED", `${what} comes once and is needed again; put it into a file and give that`);
    opened.add(chunks);
    return chunks;
  },
});

/** Streams that were read, by whomever: some end at once then, and what came of that would be taken for all there was. */
const opened = new WeakSet<object>();
