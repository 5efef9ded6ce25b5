/**
 * How any cloud is asked: once however many wait, within a time, again before what it gave ends, and no secret in what is said of it.
 * Knows no cloud.
 */
export { type Answer, asker, type CloudOptions, within } from "./asker.ts";
export { faultIn } from "./fault.ts";
