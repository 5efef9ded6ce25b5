/** Newer than what runs, and how far that is. Imports policies; knows no image. */
export { newerThan } from "./newer-than.ts";
export { type Pinned, type Step, stepOf } from "./step-of.ts";
