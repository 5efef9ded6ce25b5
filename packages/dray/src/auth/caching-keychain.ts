import { type Flight, LruCache, SingleFlight } from "../async/index.ts";
import type { Credential, Keychain } from "./types.ts";

/** Milliseconds for which "none" is believed: somebody may log in while a long-lived process runs. */
const noneHolds = 10_000;
/** Milliseconds before its end at which a credential is asked for anew. */
const margin = 60_000;
/** Targets remembered at most. */
const mostTargets = 1000;

/**
 * Caching keychain: remembers answers, so that not every request reads files or calls a cloud. Questions asked at the same
 * time are asked once. `fresh` goes through, and so does a question for a credential that is about to end.
 */
export const cachingKeychain = (keychain: Keychain, now: () => number): Keychain => {
  const answers = new LruCache<string, { readonly credential: Credential | undefined; readonly until: number }>(
    mostTargets,
  );
  const flights = new SingleFlight<Credential | undefined>();
  return async (target, { signal, fresh = false } = {}) => {
    const key = `${target.registry} ${target.repository ?? ""}`;
    const known = answers.get(key);
    if (!fresh && known !== undefined && now() < known.until) return known.credential;
    // One that has ended cannot come from a cache below either.
    const anew = fresh || (known?.credential !== undefined && now() >= known.until);
    const ask = (flight: Flight): Promise<Credential | undefined> =>
      keychain(target, { signal: flight.signal, fresh: anew });
    const credential = await flights.run(`${key} ${anew}`, ask, signal);
    answers.set(key, { credential, until: holdsUntil(credential, now()) });
    return credential;
  };
};

const holdsUntil = (credential: Credential | undefined, now: number): number => {
  if (credential === undefined) return now + noneHolds;
  return credential.expiresAt === undefined ? Number.POSITIVE_INFINITY : credential.expiresAt.getTime() - margin;
};
