/** The other thread: hashes and writes the files of many uploads, each in the order in which its blocks came. */
import fs from "node:fs";
import { parentPort } from "node:worker_threads";
import { failureOf } from "dray/internal/hash";
import { HashedFile } from "./hashed-file.ts";
import type { FileStep, FromReceiver, ToReceiver } from "./messages.ts";

const port = parentPort;
if (port === null) throw new Error("the receive worker is started as a worker thread, not imported");

interface Place {
  file: HashedFile | undefined;
  /** One step after the other; never rejects. */
  last: Promise<void>;
}
const places = new Map<number, Place>();
const blocks = new Map<number, Uint8Array>();

port.on("message", (message: ToReceiver) => {
  if (message.kind === "forget") {
    blocks.delete(message.block);
    return;
  }
  if (message.kind === "block" && message.memory !== undefined) blocks.set(message.block, message.memory);
  let place = places.get(message.id);
  if (place === undefined) {
    place = { file: undefined, last: Promise.resolve() };
    places.set(message.id, place);
  }
  const { last } = place;
  const next = place;
  place.last = last.then(() => answer(next, message));
});

const answer = async (place: Place, message: FileStep): Promise<void> => {
  let done: Pick<FromReceiver, "digest" | "failure"> = {};
  try {
    done = await step(place, message);
  } catch (error) {
    done = { failure: failureOf(error) };
  }
  const said: FromReceiver = { id: message.id, size: place.file?.size ?? 0, ...done };
  if (message.kind === "close" || (message.kind === "open" && place.file === undefined)) places.delete(message.id);
  port.postMessage(said);
};

const step = async (place: Place, message: FileStep): Promise<Pick<FromReceiver, "digest">> => {
  if (message.kind === "open") {
    place.file = await HashedFile.open(fs, message.path, message.algorithm, message);
    return {};
  }
  const { file } = place;
  if (file === undefined) throw new Error("the file is not open");
  switch (message.kind) {
    case "block":
      await file.write(bytesOf(message));
      return {};
    case "cut":
      file.cut(message.size);
      return {};
    case "digest":
      return { digest: await file.digest(message.algorithm) };
    case "close":
      await file.close();
      return {};
  }
};

const bytesOf = ({ block, length }: FileStep & { kind: "block" }): Uint8Array => {
  const bytes = blocks.get(block);
  if (bytes === undefined) throw new Error(`nobody has sent block ${block}`);
  return bytes.subarray(0, length);
};
