import { type Ingests, type ReadableStore, transfersChunks } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import type { Compression } from "../../oci/index.ts";
import type { HistoryEntry, ImageConfig } from "../config.ts";
import type { Change } from "../edit.ts";
import { ingestLayer, type NewLayer } from "../layers/index.ts";
import { exportTar, squashTar } from "../tree/index.ts";
import type { Image, Layer } from "../views.ts";
import { layerTypeIn } from "./appended.ts";
import { ofLayers } from "./of-layers.ts";
import type { RemakeOptions } from "./remade.ts";
import { changeTo, madeLayer, type Step } from "./steps.ts";

/** How layers become one. */
export interface SquashOptions extends RemakeOptions {
  /** Default `gzip`. */
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** What the history says of the new layer. Default: what it was made of. */
  readonly createdBy?: string | undefined;
}

/** Layers that are squashed: the lowest and the uppermost of them, counted from 1, or from the top down from -1. */
export interface LayerRange {
  /** Default: the lowest of all. */
  readonly from?: number | undefined;
  /** Default: the uppermost of all. */
  readonly to?: number | undefined;
}

/**
 * Makes one layer of all that an image has, or each image below an index: the tree as a container sees it. The history becomes one entry, with what was
 * said before as its comment.
 * @param target where the new layer is put: the store that the image goes to
 * @throws DrayError from `edit` as `exportTar`
 * @example const { store, root } = await edit(view, flattened(target.store));
 */
export const flattened = (target: ReadableStore & Ingests, options: SquashOptions = {}): Change =>
  ofLayers(async (steps, image) => {
    const config = await image.config();
    const comment = steps.some(({ history }) => history !== undefined) ? JSON.stringify(config.history) : undefined;
    const layer = await ingested(target, image, () => exportTar(image, options), options);
    const history = told(config, options.createdBy ?? `dray flatten ${image.descriptor.digest}`, comment);
    return changeTo([{ history, layer: named(image, layer) }]);
  });

/**
 * Makes one layer of some that lie on each other, in an image or in each below an index. What they take away from those below stays a whiteout. Steps of
 * the history without a layer stay beside the new one.
 * @throws DrayError from `edit` as `exportTar`; `NOT_FOUND` for a layer that is not there; `UNSUPPORTED` where a hard link leads to a file below that one of the
 *   layers takes away
 * @example const { store, root } = await edit(view, squashed(target.store, { from: -3 }));
 */
export const squashed = (
  target: ReadableStore & Ingests,
  { from = 1, to = -1 }: LayerRange = {},
  options: SquashOptions = {},
): Change =>
  ofLayers(async (steps, image) => {
    const layers = await image.layers();
    const [first, last] = [numbered(from, layers, image), numbered(to, layers, image)];
    if (first > last) throw new DrayError("USAGE", `layers ${from} to ${to}: the first lies above the last`);
    const chosen = layers.slice(first, last + 1);
    if (chosen.length === 1) return undefined;
    const isWhole = first === 0;
    const tar =
      isWhole && last === layers.length - 1 ? () => exportTar(image, options) : () => squashTar(chosen, options);
    const layer = await ingested(target, image, tar, options);
    const made = steps.filter(madeLayer).slice(first, last + 1);
    const comment = made.some(({ history }) => history !== undefined)
      ? JSON.stringify(made.map(({ history }) => history ?? {}))
      : undefined;
    const words = options.createdBy ?? `dray squash ${chosen.map(({ descriptor }) => descriptor.digest).join(" ")}`;
    const history = steps.some((step) => step.history !== undefined)
      ? told(await image.config(), words, comment)
      : undefined;
    const one: Step = { history, layer: named(image, layer) };
    return changeTo(
      steps.flatMap((step) => (made.includes(step as never) ? (step === made.at(-1) ? [one] : []) : [step])),
    );
  });

const numbered = (number: number, layers: readonly Layer[], { descriptor }: Image): number => {
  if (!Number.isInteger(number) || number === 0)
    throw new DrayError("USAGE", `${number} is no number of a layer: 1 is the lowest, -1 the uppermost`);
  const index = number < 0 ? layers.length + number : number - 1;
  if (index >= 0 && index < layers.length) return index;
  throw new DrayError("NOT_FOUND", `${descriptor.digest} has no layer ${number}; it has ${layers.length}`, {
    reference: descriptor.digest,
  });
};

/** A time only where the image has one: the same layers make the same image. */
const told = ({ created }: ImageConfig, created_by: string, comment: string | undefined): HistoryEntry => ({
  ...(typeof created === "string" ? { created } : {}),
  created_by,
  ...(comment === undefined ? {} : { comment }),
});

const ingested = (
  target: ReadableStore & Ingests,
  { descriptor }: Image,
  tar: () => AsyncIterable<Uint8Array>,
  { compression, level, signal, onEvent }: SquashOptions,
): Promise<NewLayer> =>
  ingestLayer(
    target,
    { open: transfersChunks(tar) },
    { what: descriptor.digest, compression: compression ?? "gzip", level, signal, onEvent },
  );

const named = (image: Image, { descriptor, diffID, store, compression }: NewLayer): Step["layer"] => ({
  descriptor: { ...descriptor, mediaType: layerTypeIn(image, compression) },
  diffID,
  store,
});
