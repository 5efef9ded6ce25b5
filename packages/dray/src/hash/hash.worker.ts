/** The other thread: runs many hashes at once, and writes what it hashes where that is wanted. */
import { writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { type Digester, digester } from "../oci/digest.ts";
import { blockSize } from "./blocks.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { FilePart, FromWorker, ToWorker } from "./messages.ts";

const port = parentPort;
if (port === null) throw new Error("the hash worker is started as a worker thread, not imported");

/** Bytes handed to the kernel at once: see `files/block-writer.ts`. */
const pieceSize = 128 * 1024;

interface Running {
  readonly hash: Digester;
  failure: Failure | undefined;
}
const running = new Map<number, Running>();

port.on("message", (message: ToWorker) => {
  const { id } = message;
  if ("abandoned" in message) {
    running.delete(id);
    return;
  }
  let job = running.get(id);
  if (job === undefined) running.set(id, (job = { hash: digester(message.algorithm), failure: undefined }));
  const { parts, to, last } = message;
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  try {
    if (job.failure === undefined) work(job.hash, parts, to);
  } catch (error) {
    job.failure = failureOf(error);
  }
  const { failure } = job;
  const digest = last && failure === undefined ? job.hash.digest() : undefined;
  if (last) running.delete(id);
  const blocks = parts.map(({ buffer }) => buffer).filter(kept);
  port.postMessage({ id, bytes, blocks, digest, inside: undefined, failure, last } satisfies FromWorker, blocks);
});

const work = (hash: Digester, parts: readonly Uint8Array[], to: FilePart | undefined): void => {
  let at = to?.position ?? 0;
  for (const part of parts) {
    if (to !== undefined) writeAll(to.fd, part, at);
    hash.update(part);
    at += part.byteLength;
  }
};

const writeAll = (fd: number, bytes: Uint8Array, position: number): void => {
  for (let at = 0; at < bytes.byteLength; ) {
    const written = writeSync(fd, bytes, at, Math.min(pieceSize, bytes.byteLength - at), position + at);
    // A file that takes nothing and reports no error would keep us here for ever.
    if (written <= 0) throw Object.assign(new Error("the file takes no more bytes"), { code: "ENOSPC" });
    at += written;
  }
};

/** Blocks go back. The memory of others is given back here: a collector would learn of it late. */
const kept = (buffer: ArrayBuffer): boolean => {
  if (buffer.byteLength === blockSize) return true;
  buffer.transfer(0);
  return false;
};
