/**
 * The distribution API over what a registry consists of: a table of endpoints, and files of what they do. Imports the rooms of the registry and
 * `@dray/service`; knows no socket, no log, no configuration.
 */
export { distributionApi, endpointOf, exposedHeaders, operationOf, routeOfRequest } from "./api.ts";
export type { Endpoint, Route } from "./call.ts";
