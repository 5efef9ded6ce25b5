/**
 * Answers to requests: bodies in memory and of files, errors, and the shapes they are sent in.
 * Imports `memory/` and the library; knows no socket, no route and no storage.
 */
export { type Blocks, blocksOf } from "./blocks.ts";
export { fileBody, partsBody, type ReadableFile } from "./file-body.ts";
export {
  answerOf,
  bare,
  emptyBody,
  HttpError,
  isReceived,
  memoryBody,
  type ReceivedBody,
  type ServedBody,
  withBytes,
  withError,
  withHeaders,
  withJson,
} from "./respond.ts";
