/** Answers: bodies, errors, and the shapes they are sent in. Knows no storage. */
export { memoryBody, type ServedBody } from "./body.ts";
export { HttpError } from "./http-error.ts";
export { answerOf, bare, emptyBody, refused, withBytes, withJson } from "./respond.ts";
