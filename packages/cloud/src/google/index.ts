/**
 * Google's registries, by Google's own library, which is loaded when one of them is met. Imports `hosts`, `asking/`; knows no other cloud.
 */
export { type Google, google } from "./google.ts";
export type { GoogleOptions } from "./options.ts";
