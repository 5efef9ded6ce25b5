import { DrayError } from "dray/errors";
import type { Handler } from "dray/http";

/**
 * A little network: handlers by origin, for a client that is given one handler as its connection. Anywhere else nobody listens.
 * @example hosts({ "https://registry.test": registry.handler, "https://auth.test": tokens.handler })
 */
export const hosts =
  (handlers: Readonly<Record<string, Handler>>): Handler =>
  async (request) => {
    const handler = handlers[request.origin];
    if (handler === undefined)
      throw new DrayError("NETWORK", `nobody listens at ${request.origin}`, {
        cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
      });
    return handler(request);
  };
