/**
 * Sizes, times and counts in the words of people. Imports nothing; knows nobody who says them. What can be read again is written by
 * `config/`.
 */
export { formatBytes, formatDuration, plural } from "./figures.ts";
