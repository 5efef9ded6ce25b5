/** The words of flux v1 about tags: annotations of workloads and prefixes of patterns. Imports policies. */
export { type FluxAnnotations, fluxAnnotations } from "./annotations.ts";
export { fluxPattern } from "./prefixes.ts";
