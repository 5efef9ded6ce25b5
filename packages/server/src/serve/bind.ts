import { DrayError } from "dray/errors";
import { errnoOf } from "dray/files";
import type { Handler } from "dray/http";
import { type Listener, type ListenOptions, listen } from "../listen/index.ts";

/** `listen`, with words for what a system says where it cannot. */
export const bind = async (handler: Handler, options: ListenOptions): Promise<Listener> => {
  try {
    return await listen(handler, options);
  } catch (error) {
    const code = errnoOf(error);
    // Every interface, on a system without IPv6.
    if (options.host === "::" && (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL"))
      return bind(handler, { ...options, host: "0.0.0.0" });
    if (code === undefined || remedies[code] === undefined) throw error;
    const place = options.unix ?? `${options.host ?? "127.0.0.1"}:${options.port ?? 0}`;
    throw new DrayError("NETWORK", `cannot listen on ${place}: ${remedies[code]}`, { cause: error });
  }
};

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program does; end that one, or choose another address with --listen",
  EADDRNOTAVAIL: "this machine has no such address; choose another with --listen",
  EAFNOSUPPORT: "this machine has no such kind of address; choose another with --listen",
  EACCES: "permission denied; choose a port above 1023, or allow this one to the user",
};
