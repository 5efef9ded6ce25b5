import { type Flight, LruCache, SingleFlight } from "../async/index.ts";
import { identityOf } from "./credential.ts";
import { coversScopes, resourcesKey, type Scope, scopesKey } from "./scope.ts";
import { requestToken, type Token, type TokenOrder, type TokenServiceOptions } from "./token-request.ts";

/** Token cache: gives out tokens, kept ones where it can. */
export interface Tokens {
  /**
   * A token for all the scopes, with some life left. `refused`: one that was given out and is not accepted any more.
   * @returns `fresh`: whether it was asked for just now.
   * @throws DrayError as `requestToken` does; failures are not remembered.
   */
  get(
    order: TokenOrder,
    options?: { readonly refused?: string | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Token & { readonly fresh: boolean }>;
}

/** Tokens kept at most; each is some kilobytes. */
const mostTokens = 1000;

interface Held {
  readonly token: Token;
  readonly scopes: readonly Scope[];
}

/**
 * Keeps tokens by realm, service, identity and resources, so that one never carries more repositories than a request
 * asked for together. A token for more actions serves requests for fewer. One exchange is in flight per key.
 */
export const tokenCache = (options: TokenServiceOptions): Tokens => {
  const kept = new LruCache<string, readonly Held[]>(mostTokens);
  const refreshTokens = new Map<string, string>();
  const flights = new SingleFlight<Token>();

  const usable = (group: string, refused: string | undefined): Held[] =>
    (kept.get(group) ?? []).filter(({ token }) => token.text !== refused && token.renewAt > options.now());

  /** A service may hand out a new refresh token with each answer, and end the old one. */
  const requestWithRefreshToken = async (service: string, order: TokenOrder, stop: AbortSignal): Promise<Token> => {
    const { credential } = order;
    if (!credential?.identityToken) return requestToken(order, options, stop);
    const identityToken = refreshTokens.get(service) ?? credential.identityToken;
    // Taken out meanwhile: if it is refused, the next try is made with the original.
    refreshTokens.delete(service);
    const token = await requestToken({ ...order, credential: { ...credential, identityToken } }, options, stop);
    refreshTokens.set(service, token.refreshToken ?? identityToken);
    return token;
  };

  return {
    get: async (order, { refused, signal } = {}) => {
      const identity = identityOf(order.credential);
      const service = `${order.realm.href} ${order.service ?? ""} ${identity}`;
      const group = `${service} ${resourcesKey(order.scopes)}`;
      const found = usable(group, refused).find(({ scopes }) => coversScopes(scopes, order.scopes));
      if (found !== undefined) return { ...found.token, fresh: false };
      const exchange = async (flight: Flight): Promise<Token> => {
        const token = await requestWithRefreshToken(service, order, flight.signal);
        const others = usable(group, refused).filter(({ scopes }) => !coversScopes(order.scopes, scopes));
        kept.set(group, [{ token, scopes: order.scopes }, ...others]);
        return token;
      };
      const token = await flights.run(`${service} ${scopesKey(order.scopes)}`, exchange, signal);
      return { ...token, fresh: true };
    },
  };
};
