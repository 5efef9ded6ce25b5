import type { Handler, Middleware } from "./types.ts";

/**
 * A connection with middlewares around it, outermost first. The order for a registry:
 *
 * 1. `warnings`: what is said once.
 * 2. `retry`: an attempt is everything below.
 * 3. `redirect`: each hop is a request of its own to a host of its own.
 * 4. `authenticate`: each hop has its own credentials, and token requests go down the same way.
 * 5. `budget`: what comes here goes over the wire next, so a registry that limits us stops everything, and registry, blob storage
 *    and token service have a limiter each.
 * 6. `trace`: sees every hop and attempt as it is sent.
 */
export const pipeline = (connection: Handler, ...middlewares: readonly Middleware[]): Handler =>
  middlewares.reduceRight((inner, middleware) => middleware(inner), connection);
