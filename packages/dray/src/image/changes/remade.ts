import { forEachConcurrent, LazyMap, Semaphore } from "../../async/index.ts";
import { type Ingests, meteredContent, type OnEvent, type ReadableStore } from "../../content/index.ts";
import { defined } from "../../defined.ts";
import { DrayError } from "../../errors.ts";
import { type Annotations, compressionOf, type Descriptor, type Digest, isForeignLayerType } from "../../oci/index.ts";
import { type IngestLayerOptions, ingestLayer, type NewLayer } from "../layers/index.ts";
import { refuseEncrypted } from "../readable-layer.ts";
import type { Image } from "../views.ts";
import { layerTypeIn } from "./appended.ts";
import { madeLayer, type Step, type StepLayer } from "./steps.ts";

/** How layers are made anew. */
export interface RemakeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** Layers that are made at the same time. A large one is made on all cores, and takes its memory alone. */
const atOnce = 4;
const largeBytes = 4 * 1024 * 1024;

/** Puts layers made of other layers where the image is to go, each once, however many images have it. */
export class Remaker {
  readonly #target: ReadableStore & Ingests;
  readonly #how: (layer: StepLayer) => IngestLayerOptions;
  readonly #made = new LazyMap<Digest, NewLayer>();
  readonly #large = new Semaphore(1);

  constructor(target: ReadableStore & Ingests, how: (layer: StepLayer) => IngestLayerOptions) {
    this.#target = target;
    this.#how = how;
  }

  /** The steps with their layers made anew, but for those that `stays` says. */
  async steps(image: Image, steps: readonly Step[], stays: (layer: StepLayer) => boolean): Promise<Step[]> {
    const after = [...steps];
    await forEachConcurrent(steps.entries(), atOnce, async ([i, step]) => {
      if (!madeLayer(step) || stays(step.layer)) return;
      after[i] = { ...step, layer: await this.#remade(image, step.layer) };
    });
    return after;
  }

  async #remade(image: Image, layer: StepLayer): Promise<StepLayer> {
    const { descriptor } = layer;
    refuseUnreadable(descriptor);
    const made = await this.#made.get(descriptor.digest, async () => {
      const how = { what: `layer ${descriptor.digest}`, empty: true, ...this.#how(layer) };
      const { onEvent = () => {}, signal } = how;
      const ingest = (): Promise<NewLayer> =>
        ingestLayer(this.#target, meteredContent(image.store, descriptor, { verify: true, onEvent }), how);
      onEvent({ type: "plan", blobs: 1, bytes: descriptor.size });
      const fresh = await (descriptor.size < largeBytes ? ingest() : this.#large.run(signal, ingest));
      onEvent({ type: "done", descriptor });
      return fresh;
    });
    const annotations = { ...own(descriptor.annotations), ...made.descriptor.annotations };
    return {
      diffID: made.diffID,
      store: made.store,
      descriptor: defined<Descriptor>({
        ...made.descriptor,
        mediaType: layerTypeIn(image, made.compression),
        annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
      }),
    };
  }
}

/** Whether a layer stays as it is: it lies elsewhere by licence. */
export const isForeign = ({ descriptor }: StepLayer): boolean => isForeignLayerType(descriptor.mediaType);

const refuseUnreadable = (layer: Descriptor): void => {
  const { mediaType, digest } = layer;
  refuseEncrypted(layer);
  if (compressionOf(mediaType) !== undefined) return;
  throw new DrayError("UNSUPPORTED", `layer ${digest} is of type "${mediaType}", which cannot be read; leave it out`, {
    reference: digest,
  });
};

/** Annotations but for those by which the old bytes were read in parts. */
const own = (annotations: Annotations = {}): Annotations =>
  Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) =>
        !/^(?:containerd\.io\/snapshot\/|io\.containers\.estargz\.|io\.(?:github\.)?containers\.zstd-chunked\.)/.test(
          key,
        ),
    ),
  );
