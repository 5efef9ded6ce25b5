/**
 * Answers to requests: bodies in memory and of files, errors, and the shapes they are sent in.
 * Imports the library alone; knows no socket, no route and no storage.
 */
export { memoryBody, type ServedBody } from "./body.ts";
export { fileBody, type ReadableFile } from "./file-body.ts";
export { HttpError } from "./http-error.ts";
export { partsBody } from "./parts-body.ts";
export { answerOf, bare, emptyBody, withBytes, withError, withJson } from "./respond.ts";
