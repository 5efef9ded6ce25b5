/**
 * Variables in a reference, of each language that has some: what they are called, and what the text comes to by their defaults. Pure over text.
 */
export { type Dialect, expand, type Variable } from "./expand.ts";
