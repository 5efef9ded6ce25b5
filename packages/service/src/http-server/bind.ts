import { DrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { errnoOf } from "dray/internal/files";
import { listen } from "./listen.ts";
import type { Listener, ListenOptions } from "./options.ts";

/**
 * `listen`, with words for what a system says where it cannot.
 * @param flag the flag of the program that chooses another address: `--listen`
 */
export const bind = async (handler: Handler, options: ListenOptions, flag: string): Promise<Listener> => {
  try {
    return await listen(handler, options);
  } catch (error) {
    const code = errnoOf(error);
    // Every interface, on a system without IPv6.
    if (options.host === "::" && (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL"))
      return bind(handler, { ...options, host: "0.0.0.0" }, flag);
    const remedy = code === undefined ? undefined : remedies[code]?.(flag);
    if (remedy === undefined) throw error;
    const address = options.unix ?? `${options.host ?? "127.0.0.1"}:${options.port ?? 0}`;
    throw new DrayError("NETWORK", `cannot listen on ${address}: ${remedy}`, { cause: error });
  }
};

const remedies: Readonly<Record<string, (flag: string) => string>> = {
  EADDRINUSE: (flag) => `another program does; end that one, or choose another address with ${flag}`,
  EADDRNOTAVAIL: (flag) => `this machine has no such address; choose another with ${flag}`,
  EAFNOSUPPORT: (flag) => `this machine has no such kind of address; choose another with ${flag}`,
  EACCES: () => "permission denied; choose a port above 1023, or allow this one to the user",
};
