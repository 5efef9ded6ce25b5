/**
 * What commands that change an image share: where the result goes and how it is told, and the flags that say what of its documents changes.
 * Imports what commands stand on; knows no command.
 */
export { additionsFor } from "./additions.ts";
export { type ChangingOptions, changeImage, changingFlags } from "./change-image.ts";
export { changeIndex, type IndexOptions } from "./change-index.ts";
export { chosenImage } from "./chosen-image.ts";
export { withEditor } from "./editor.ts";
export { type EntryOptions, matcherOf } from "./entry-flags.ts";
export { fileDeleted, fileEdited } from "./file-edit.ts";
export { stringSlice, stringToString } from "./go-flags.ts";
export { type CompressionOptions, compressionFlags, layerNumber, modeOf, ownerOf, refuseLevel } from "./layer-flags.ts";
export { changesOf, type MutateOptions, mutateFlags, textChange } from "./mutations.ts";
export { withNewFile } from "./new-file.ts";
