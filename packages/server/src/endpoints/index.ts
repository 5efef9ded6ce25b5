/**
 * The distribution API over what a registry consists of: one file for each kind of endpoint. Imports the rooms of the registry and
 * `@dray/service`; knows no socket, no log, no configuration.
 */
export { distributionApi, routeOfRequest } from "./api.ts";
export type { Endpoint, Route } from "./call.ts";
export { endpointOf, operationOf } from "./table.ts";
