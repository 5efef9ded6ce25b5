import type { JsonObject, ReadableStore } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { type Descriptor, type Digest, isDigest } from "../../oci/index.ts";
import type { HistoryEntry } from "../config.ts";
import type { ImageChange } from "../edit.ts";
import type { Image } from "../views.ts";

/**
 * How an image came to be, bottom first: its layers, each with the entry of history that tells of it, and the entries that made no layer. Changes of
 * layers are functions from steps to steps, so that layers, diffIDs and history never fall apart.
 */
export interface Step {
  /** Nothing, where nobody wrote how the layer came to be. */
  readonly history?: HistoryEntry | undefined;
  /** Nothing, where the step made none. */
  readonly layer?: StepLayer | undefined;
}

/** A layer of a step. */
export interface StepLayer {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
  /** Where it lies, if not in the view's store. */
  readonly store?: ReadableStore | undefined;
}

/** A step that made a layer. */
export type LayerStep = Step & { readonly layer: StepLayer };

/** Whether a step made a layer. */
export const madeLayer = (step: Step): step is LayerStep => step.layer !== undefined;

/**
 * The steps of an image. Layers that its history does not reach stand at the end, without an entry.
 * @throws DrayError `MANIFEST_INVALID` where configuration and manifest do not speak of the same layers
 */
export const stepsOf = async (image: Image): Promise<Step[]> => {
  const [config, { layers, config: named }] = [await image.config(), await image.manifest()];
  const what = `configuration ${named.digest}`;
  const diffIDs = listOf(config.rootfs?.diff_ids, `${what}: rootfs.diff_ids`);
  if (diffIDs.length !== layers.length)
    throw new DrayError(
      "MANIFEST_INVALID",
      `${what} has ${diffIDs.length} diffIDs, and its manifest ${layers.length} layers; push the image again with a current tool`,
    );
  const made = layers.map((descriptor, i): StepLayer => {
    const diffID = diffIDs[i];
    if (!isDigest(diffID)) throw new DrayError("MANIFEST_INVALID", `${what}: rootfs.diff_ids[${i}] is no digest`);
    return { descriptor, diffID };
  });
  let at = 0;
  const steps = listOf(config.history, `${what}: history`).map((entry): Step => {
    const history = entry as HistoryEntry;
    return history?.empty_layer === true ? { history } : { history, layer: made[at++] };
  });
  if (at > made.length)
    throw new DrayError(
      "MANIFEST_INVALID",
      `${what} has history of ${at} layers, and there are ${made.length}; one of them was lost, or its entry should say empty_layer`,
    );
  return [...steps, ...made.slice(at).map((layer) => ({ layer }))];
};

const listOf = (value: unknown, what: string): readonly unknown[] => {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new DrayError("MANIFEST_INVALID", `${what} is no list; push the image again with a current tool`);
};

/** The change of an image to other steps. History that nobody wrote is not made up, but where somebody wrote some of it each layer needs its entry. */
export const changeTo = (steps: readonly Step[]): ImageChange => {
  const layers = steps.filter(madeLayer).map(({ layer }) => layer);
  const told = steps.some(({ history }) => history !== undefined);
  return {
    config: (document) => ({
      ...document,
      rootfs: {
        type: "layers",
        ...(document["rootfs"] as JsonObject | undefined),
        diff_ids: layers.map(({ diffID }) => diffID),
      },
      ...(told ? { history: steps.map(({ history }) => history ?? {}) } : withoutEmpty(document)),
    }),
    layers: layers.map(({ descriptor }) => descriptor),
    elsewhere: new Map(
      layers.flatMap(({ descriptor, store }) => (store === undefined ? [] : [[descriptor.digest, store] as const])),
    ),
  };
};

/** History of what is there no more is none. */
const withoutEmpty = ({ history }: JsonObject): JsonObject =>
  history === undefined || history === null ? {} : { history: [] };
