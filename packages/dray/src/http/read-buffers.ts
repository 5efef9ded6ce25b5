import type { Socket } from "node:net";

/** Memory of what sockets read lately, until it is known how the parser treats it. Nothing is kept alive by this. */
const read = new WeakSet<ArrayBufferLike>();
let lastOfBody: ArrayBufferLike | undefined;
/** Whether chunks of bodies are copies of what was read, and not parts of it. */
let areCopies: boolean | undefined;

/** Hears each chunk of a body as the parser gives it. */
export const chunkOfBody = (chunk: Uint8Array): void => {
  if (areCopies === undefined) lastOfBody = chunk.buffer;
};

const giveBack = ({ buffer, byteLength }: Uint8Array): void => {
  if (areCopies === undefined) {
    read.add(buffer);
    if (lastOfBody === undefined) return;
    // What it came from was read now or before, so it is known here.
    areCopies = !read.has(lastOfBody);
    lastOfBody = undefined;
  } else if (areCopies && buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
};

/**
 * Memory of what a socket has read, given back as soon as the parser is done with it: Node allocates 64 KiB for each read, its parser copies bodies out
 * of them, and the collector learns of what is left in fifties of megabytes. Where a parser hands out parts of what was read, nothing is given back. Called
 * each time a request gets its socket, since it must hear after that request's parser.
 */
export const giveBackWhatIsRead = (socket: Socket): void => {
  const { bun, deno } = process.versions;
  // Their sockets of requests are for show: the runtime itself reads.
  if (bun === undefined && deno === undefined) socket.off("data", giveBack).on("data", giveBack);
};
