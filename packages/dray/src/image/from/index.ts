/**
 * Images made of the least: a configuration and layers, nothing at all, or chance.
 * Imports the views; knows no store but those in memory, and of files only how one is read.
 */
export { emptyImage, emptyIndex } from "./empty.ts";
export { type ImageFromOptions, type ImageParts, imageFrom, type LayerParts } from "./image-from.ts";
export { type OnceLayer, onceLayer } from "./once-layer.ts";
export { type RandomImageOptions, randomImage, randomIndex } from "./random.ts";
