/** The other thread: computes the digests of many layers at once, of each as it lies and as it is inside. */
import { parentPort } from "node:worker_threads";
import { detach, transferable } from "../content/transferable.ts";
import { failureOf } from "../hash/failure.ts";
import type { FromWorker, ToWorker } from "../hash/messages.ts";
import { type Digester, digester } from "../oci/digest.ts";
import { decompressed } from "./decompress.ts";

const port = parentPort;
if (port === null) throw new Error("the layer worker is started as a worker thread, not imported");

type Step = Extract<ToWorker, { readonly last: boolean }>;

/** What has come of a layer and was not read yet. */
interface Incoming {
  readonly steps: Step[];
  /** The last step was taken. */
  ended: boolean;
  abandoned: boolean;
  wake: (() => void) | undefined;
}
const incoming = new Map<number, Incoming>();

port.on("message", (message: ToWorker) => {
  let layer = incoming.get(message.id);
  if ("abandoned" in message) {
    if (layer === undefined) return;
    layer.abandoned = true;
  } else {
    if (layer === undefined) {
      layer = { steps: [], ended: false, abandoned: false, wake: undefined };
      incoming.set(message.id, layer);
      void read(message, layer);
    }
    layer.steps.push(message);
  }
  layer.wake?.();
});

const read = async ({ id, algorithm, inside = algorithm }: Step, layer: Incoming): Promise<void> => {
  const outer = digester(algorithm);
  const inner = digester(inside);
  try {
    for await (const chunk of decompressed(hashed(layer, outer), { handsOver: true })) {
      inner.update(chunk);
      detach(chunk);
    }
    if (!layer.abandoned) answer(id, 0, { digest: outer.digest(), inside: inner.digest(), last: true });
  } catch (error) {
    const failure = failureOf(error);
    answer(id, 0, { failure, last: layer.ended });
    for (let step = await next(layer); step !== undefined; step = await next(layer))
      answer(id, bytesOf(step), { failure, last: step.last });
  }
  incoming.delete(id);
};

/** The bytes as they lie. What was read is acknowledged, so that no more comes than is read. */
async function* hashed(layer: Incoming, hash: Digester): AsyncGenerator<Uint8Array> {
  for (let step = await next(layer); step !== undefined; step = await next(layer)) {
    for (const part of step.parts) {
      const { byteLength } = part;
      hash.update(part);
      yield transferable(part);
      answer(step.id, byteLength, {});
    }
  }
}

/** The next step; none after the last, and none of a layer that nobody wants any more. */
const next = async (layer: Incoming): Promise<Step | undefined> => {
  while (layer.steps.length === 0 && !layer.abandoned && !layer.ended) {
    await new Promise<void>((resolve) => {
      layer.wake = resolve;
    });
    layer.wake = undefined;
  }
  const step = layer.abandoned ? undefined : layer.steps.shift();
  if (step?.last === true) layer.ended = true;
  return step;
};

const bytesOf = ({ parts }: Step): number => parts.reduce((sum, { byteLength }) => sum + byteLength, 0);

const answer = (
  id: number,
  bytes: number,
  { digest, inside, failure, last = false }: Partial<Pick<FromWorker, "digest" | "inside" | "failure" | "last">>,
): void => port.postMessage({ id, bytes, blocks: [], digest, inside, failure, last } satisfies FromWorker);
