/** The other thread: runs many hashes at once and sends every block back, so that it is used again. */
import { parentPort } from "node:worker_threads";
import { type Digester, digester } from "../oci/digest.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

const port = parentPort;
if (port === null) throw new Error("the hash worker is started as a worker thread, not imported");

const running = new Map<number, Digester>();

port.on("message", (message: ToWorker) => {
  const { id } = message;
  if ("abandoned" in message) {
    running.delete(id);
    return;
  }
  const hash = running.get(id) ?? digester(message.algorithm);
  hash.update(message.block);
  if (message.last) running.delete(id);
  else running.set(id, hash);
  const { buffer } = message.block;
  port.postMessage({ id, buffer, digest: message.last ? hash.digest() : undefined } satisfies FromWorker, [buffer]);
});
