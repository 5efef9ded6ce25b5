/**
 * What `dray doctor` looks at: the way to a registry and what it can do, one finding after the other.
 * Imports the library and how failures are told; knows no flag and no way to print.
 */
export { examine } from "./examine.ts";
export type { Finding } from "./finding.ts";
