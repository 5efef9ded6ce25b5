import { isLinkLocalHost, isListedHost, isLoopbackHost, isPrivateHost } from "./private-address.ts";

/** The URL of a token service, where a realm is one. For Basic it is any text, and some registries say such text for Bearer too. */
export const realmUrl = (realm: string | undefined): URL | undefined => {
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  url.hash = "";
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
};

/**
 * Why a token service may not be visited, or `undefined`. A registry chooses the realm, so a bad one could make us call
 * services it cannot reach itself: a realm is https unless the registry is http, holds no credentials, and is no private
 * address, unless the registry is on the same host or on a private address itself. Names are checked by the connection,
 * which knows what they stand for.
 * @param from origin that named the realm.
 */
export const realmRefusal = (realm: URL, from: string, allowPrivate: readonly string[]): string | undefined => {
  const challenger = new URL(from);
  if (realm.username !== "" || realm.password !== "") return "it holds credentials of its own";
  if (realm.protocol === "http:" && challenger.protocol !== "http:") return "it is http, while the registry is https";
  const host = realm.hostname;
  if (host === challenger.hostname || isListedHost(allowPrivate, host)) return undefined;
  if (isLinkLocalHost(host)) return "it is a link-local address";
  if (isPrivateHost(host) && !isPrivateHost(challenger.hostname)) return "it is a private address";
  return undefined;
};

/**
 * Whether the registry's credentials may go to a realm that its own origin has named. Any host may be named over https,
 * as `auth.docker.io` is. What came over http may be anybody's words: then only the same host, or this machine.
 */
export const mayHaveCredentials = (realm: URL, from: string): boolean => {
  const challenger = new URL(from);
  if (challenger.protocol === "https:" || realm.hostname === challenger.hostname) return true;
  return isLoopbackHost(realm.hostname) && isLoopbackHost(challenger.hostname);
};
