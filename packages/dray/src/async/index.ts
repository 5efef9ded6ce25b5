/**
 * Concurrency in the field's words: semaphore, single flight, a lazy value, waits that a signal ends.
 * Imports only the errors; knows no content, no file, no network.
 */
export { Lazy } from "./lazy.ts";
export { Semaphore } from "./semaphore.ts";
export { singleFlight } from "./single-flight.ts";
export { unlessAborted } from "./unless-aborted.ts";
