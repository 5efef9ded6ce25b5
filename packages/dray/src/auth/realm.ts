import type { ErrorFacts } from "../errors.ts";
import { isAllowed, isLocalName, isMetadataAddress, isPrivateAddress } from "../http/index.ts";

const loopback = ["127.0.0.0/8", "::1"];

/** The URL of a token service, where a realm is one. For Basic it is any text, and some registries say such text for Bearer too. */
export const realmUrl = (realm: string | undefined): URL | undefined => {
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  url.hash = "";
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined;
};

/** Why a token service may not be visited. */
export interface RealmRefusal {
  readonly why: string;
  /** Of an error that is made of it. */
  readonly facts: Pick<ErrorFacts, "remedy" | "host">;
}

/**
 * Why a token service may not be visited, or `undefined`. A registry chooses the realm, so a bad one could make us call
 * services it cannot reach itself: a realm is https unless the registry is http, holds no credentials, and is no private
 * address, unless the registry is on the same host or on a private address itself. What a name stands for is checked by
 * the connection, which looks it up.
 * @param from origin that named the realm.
 * @param allowed hosts, addresses and CIDRs that may be visited although they are private.
 */
export const realmRefusal = (realm: URL, from: string, allowed: readonly string[]): RealmRefusal | undefined => {
  const challenger = new URL(from);
  if (realm.username !== "" || realm.password !== "") return refused("it holds credentials of its own");
  if (realm.protocol === "http:" && challenger.protocol !== "http:")
    return refused("it is http, while the registry is https; serve it over https");
  const host = realm.hostname;
  if (host === challenger.hostname || isAllowed(allowed, host, host)) return undefined;
  const allow = { remedy: "allow-private", host } as const;
  if (isMetadataAddress(host)) return refused("it is link-local, where metadata services are", allow);
  if (isPrivate(host) && !isPrivate(challenger.hostname)) return refused("it is a private address", allow);
  return undefined;
};

export const refused = (why: string, facts: RealmRefusal["facts"] = {}): RealmRefusal => ({ why, facts });

/**
 * Whether the registry's credentials may go to a realm that its own origin has named. Any host may be named over https,
 * as `auth.docker.io` is. What came over http may be anybody's words: then only the same host, or this machine.
 */
export const mayHaveCredentials = (realm: URL, from: string): boolean => {
  const challenger = new URL(from);
  if (challenger.protocol === "https:" || realm.hostname === challenger.hostname) return true;
  return isThisMachine(realm.hostname) && isThisMachine(challenger.hostname);
};

const isPrivate = (host: string): boolean => isPrivateAddress(host) || isLocalName(host);
const isThisMachine = (host: string): boolean => isAllowed(loopback, host, host) || isLocalName(host);
