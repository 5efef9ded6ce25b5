import type { Call } from "./call.ts";

/** A path of the API as a client gets it in `Location`: relative, unless the operator says otherwise. */
export const locationOf = ({ request, context }: Pick<Call, "request" | "context">, path: string): string => {
  const { host, prefix, relative } = context.settings.locations;
  const whole = prefix + path;
  if (host !== undefined) return host + whole;
  return relative ? whole : request.origin + whole;
};
