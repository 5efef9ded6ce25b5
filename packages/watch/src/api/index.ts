/**
 * What a watch knows and does, over HTTP: a table of endpoints, from which the document of the API is made. Imports the state, events, webhooks and policies; opens
 * no socket.
 */
export { type ApiParts, api } from "./api.ts";
export { openApi } from "./openapi.ts";
export { type Route, routes } from "./routes.ts";
