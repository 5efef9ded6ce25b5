/**
 * Changes of what an image's documents say: configuration, annotations, subject, media types, platform. Each is a value that `edit` takes.
 * Imports the views and `edit`; moves no layer, and writes nowhere.
 */

export { allOf } from "./all-of.ts";
export { type AnnotatePlace, annotated } from "./annotations.ts";
export { type ConfigChange, configured, platformed } from "./configuration.ts";
export { type ConvertOptions, inMediaTypes } from "./media-types.ts";
export type { ListChange, TextChange } from "./members.ts";
export { referringTo } from "./subject.ts";
