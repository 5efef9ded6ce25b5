/**
 * Changes of images, each a value that `edit` takes: of what their documents say (configuration, annotations, subject, media types, platform, entries of an
 * index), and of their layers, as steps: layers with their history. Imports the views, `edit` and new layers; writes nowhere.
 */

export { allOf } from "./all-of.ts";
export { type AnnotatePlace, annotated } from "./annotations.ts";
export { type Addition, type AppendOptions, appended } from "./appended.ts";
export { type ConfigChange, configured, platformed } from "./configuration.ts";
export {
  type AppendEntriesOptions,
  entriesAnnotated,
  entriesAppended,
  entriesKept,
  entriesRemoved,
} from "./entries.ts";
export type { LayerChoice } from "./layer-choice.ts";
export { type ConvertOptions, inMediaTypes } from "./media-types.ts";
export type { ListChange, TextChange } from "./members.ts";
export { type Bases, type Rebased, rebased } from "./rebased.ts";
export { type RecompressOptions, recompressed } from "./recompressed.ts";
export type { RemakeOptions } from "./remade.ts";
export { flattened, type LayerRange, type SquashOptions, squashed } from "./squashed.ts";
export { referringTo } from "./subject.ts";
export { type TimeOptions, timed } from "./timed.ts";
export { withoutLayers } from "./without-layers.ts";
