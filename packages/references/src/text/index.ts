/**
 * A file's bytes as text in which every index leads back to a byte. Imports nothing; knows no format.
 */
export { type SourceText, sourceText } from "./source-text.ts";
