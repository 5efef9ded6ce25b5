import { throwIfAborted } from "../errors.ts";
import { describeCredential } from "./credential.ts";
import { covers, parseServer, type Server } from "./server.ts";
import type { Credential, Keychain } from "./types.ts";

/**
 * Asks one keychain after the other; the first credential wins. An error ends the search: a source that is broken must
 * not be passed over in silence.
 * @example const keychain = chain(environment(), dockerConfig());
 */
export const chain =
  (...keychains: readonly Keychain[]): Keychain =>
  async (target, options) => {
    for (const keychain of keychains) {
      throwIfAborted(options?.signal);
      const credential = await keychain(target, options);
      if (credential !== undefined) return credential;
    }
    return undefined;
  };

/** Stays anonymous, and ends a chain: nothing behind it is asked. */
export const anonymous: Keychain = async (_target, options) => {
  options?.onTried?.("anonymous", "no credentials wanted");
  return { source: "anonymous" };
};

/**
 * One credential that is known already, as from flags of a command. `server` binds it to `host[:port][/path]`, so that
 * it never goes to another registry than the one it was meant for.
 */
export const staticCredential = (credential: Credential, server?: string): Keychain => {
  const bound: Server | undefined = server === undefined ? undefined : parseServer(server);
  return async (target, options) => {
    if (server !== undefined && (bound === undefined || !covers(bound, target))) {
      options?.onTried?.(credential.source, `only for ${server}`);
      return undefined;
    }
    options?.onTried?.(credential.source, describeCredential(credential));
    return credential;
  };
};
