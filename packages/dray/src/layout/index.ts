/**
 * OCI image layouts in a directory, as stores.
 * Imports `oci/`, `content/` and `files/`; knows no registry, no archive, no image.
 */
export { type LayoutOptions, type LayoutStore, layoutStore } from "./store.ts";
