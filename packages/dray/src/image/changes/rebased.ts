import type { JsonChange, JsonObject } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { type Annotations, annotationKeys, mediaTypes } from "../../oci/index.ts";
import type { ImageConfig } from "../config.ts";
import type { Change } from "../edit.ts";
import type { Image } from "../views.ts";
import { dockerTypeOf, ociTypeOf } from "./media-types.ts";
import { withMember } from "./members.ts";
import { ofLayers } from "./of-layers.ts";
import { changeTo, type LayerStep, madeLayer, type Step, stepsOf } from "./steps.ts";

/** The two bases of one image. */
export interface Bases {
  /** What the image was built on. */
  readonly from: Image;
  /** What it is to stand on. */
  readonly to: Image;
  /** How `to` is called, for the annotations. Default: it is named by its digest alone. */
  readonly name?: string | undefined;
  /** The digest that the annotations name. Default: that of `to`. */
  readonly digest?: string | undefined;
}

/** What a rebase did to one image, in layers. */
export interface Rebased {
  readonly image: Image;
  readonly bases: Bases;
  /** Of the old base, taken away. */
  readonly removed: number;
  /** Of the new one, put in their place. */
  readonly added: number;
  /** Of the image's own. */
  readonly kept: number;
}

/**
 * Puts another base under an image, or under each image below an index: the layers of the old one are replaced by those of the new one, with their
 * history, and what lies above stays. The platform is the new base's, everything else in the configuration the image's own. Layers are compared by
 * their content, however they are compressed, and called as the image calls its own. Its annotations name the new base afterwards.
 * @param bases asked for each image
 * @param tell hears what was done
 * @throws DrayError from `edit` `CHECK_FAILED` where an image does not stand on its old base, naming the first layer that differs
 * @example
 * const change = rebased(async () => ({ from: await base("alpine:3.19"), to: await base("alpine:3.20"), name: "docker.io/library/alpine:3.20" }));
 * const { store, root } = await edit(view, change);
 */
export const rebased = (bases: (image: Image) => Promise<Bases>, tell: (done: Rebased) => void = () => {}): Change =>
  ofLayers(async (steps, image) => {
    const two = await bases(image);
    const [old, fresh] = [await stepsOf(two.from), await stepsOf(two.to)];
    const kept = above(steps, old, image, two.from);
    const below = fresh.map((step) => placed(step, image, two.to, steps));
    tell({
      image,
      bases: two,
      removed: old.filter(madeLayer).length,
      added: fresh.filter(madeLayer).length,
      kept: kept.filter(madeLayer).length,
    });
    const change = changeTo([...below, ...kept]);
    const config = await two.to.config();
    return {
      ...change,
      config: (document) => platformOfBase(change.config?.(document) ?? document, config),
      manifest: namingBase(two),
      entry: (entry) =>
        typeof entry["platform"] === "object" && entry["platform"] !== null
          ? { ...entry, platform: platformOfBase(entry["platform"] as JsonObject, config) }
          : entry,
    };
  });

/** The steps above the old base. Its own steps without layers may be known by their words alone. */
const above = (steps: readonly Step[], old: readonly Step[], image: Image, base: Image): readonly Step[] => {
  const layers = steps.filter(madeLayer);
  const below = old.filter(madeLayer);
  for (const [i, { layer }] of below.entries()) {
    const own = layers[i]?.layer;
    if (own?.diffID === layer.diffID) continue;
    throw new DrayError(
      "CHECK_FAILED",
      `${image.descriptor.digest} does not stand on ${base.descriptor.digest}: layer ${i + 1} of the base is ${layer.descriptor.digest}, and of the image ${own?.descriptor.digest ?? "none"}`,
      { reference: image.descriptor.digest, remedy: "name-old-base" },
    );
  }
  const last = below.length === 0 ? undefined : (layers[below.length - 1] as LayerStep);
  let from = last === undefined ? 0 : steps.indexOf(last) + 1;
  for (const step of old.slice(old.findLastIndex(madeLayer) + 1)) {
    const next = steps[from];
    if (next === undefined || madeLayer(next) || JSON.stringify(next.history) !== JSON.stringify(step.history)) break;
    from += 1;
  }
  return steps.slice(from);
};

/** A step of the new base as one of the image: its layer lies where the base does, unless the image has it already. */
const placed = (step: Step, image: Image, base: Image, own: readonly Step[]): Step => {
  if (!madeLayer(step)) return step;
  const { descriptor, diffID } = step.layer;
  const there = own.find(({ layer }) => layer?.descriptor.digest === descriptor.digest)?.layer;
  if (there !== undefined) return { ...step, layer: there };
  const call = image.descriptor.mediaType === mediaTypes.dockerManifest ? dockerTypeOf : ociTypeOf;
  const isAlike = image.descriptor.mediaType === base.descriptor.mediaType;
  const mediaType = isAlike ? descriptor.mediaType : call(descriptor.mediaType);
  return { ...step, layer: { descriptor: { ...descriptor, mediaType }, diffID, store: base.store } };
};

/** Files of the base run on the base's platform. */
const platformOfBase = (document: JsonObject, base: ImageConfig): JsonObject =>
  (["os", "architecture", "variant", "os.version", "os.features"] as const).reduce(
    (after, member) => withMember(after, member, base[member]),
    document,
  );

const namingBase =
  ({ to, name, digest = to.descriptor.digest }: Bases): JsonChange =>
  (document) => {
    const { [annotationKeys.baseName]: _, ...annotations } = (document["annotations"] ?? {}) as Annotations;
    return {
      ...document,
      annotations: {
        ...annotations,
        [annotationKeys.baseDigest]: digest,
        ...(name === undefined ? {} : { [annotationKeys.baseName]: name }),
      },
    };
  };
