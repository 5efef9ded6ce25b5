/**
 * Azure's registries: who we are by Azure's own library, which is loaded when one of them is met. Imports `hosts`, `asking/`; knows no other cloud.
 */
export { acr } from "./acr.ts";
export type { AcrOptions } from "./options.ts";
