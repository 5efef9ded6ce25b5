/** Answers: bodies, refusals, and the shapes they are sent in. Knows no storage. */
export { memoryBody, type ServedBody } from "./body.ts";
export { type RefusalCode, RegistryError, refused } from "./refusal.ts";
export { answerOf, bare, emptyBody, withBytes, withJson } from "./respond.ts";
