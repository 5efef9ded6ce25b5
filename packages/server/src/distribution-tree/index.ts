/**
 * The tree that the CNCF distribution keeps, over a driver: where everything lies, and what a stored manifest says.
 * Imports `storage/`'s interface; knows no cache, no index, no protocol.
 */
export { ambiguityOf } from "./ambiguous.ts";
export { type Described, describe, typeInside } from "./described.ts";
export * from "./paths.ts";
export { type FileVersion, type TagLink, Tree } from "./tree.ts";
