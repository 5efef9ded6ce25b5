import { collect } from "dray/content";
import { DrayError } from "dray/errors";
import { type Clock, type Handler, type HeaderPairs, header } from "dray/http";
import type { JSONWebKeySet } from "jose";
import { listAt } from "./json.ts";
import { sameText } from "./proof.ts";

/** Whose tokens are believed. */
export interface GoogleAccount {
  /** The service account of the subscription. */
  readonly account: string;
  /** What the subscription says for whom its tokens are. */
  readonly audience: string;
}

const certificates = { origin: "https://www.googleapis.com", target: "/oauth2/v3/certs" };
const issuers = ["https://accounts.google.com", "accounts.google.com"];
const [leastKept, mostKept] = [300_000, 86_400_000];

/** Something else in their place would turn every notice away for as long as keys are kept. */
const keysIn = (bytes: Uint8Array): JSONWebKeySet => {
  let said: unknown;
  try {
    said = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // As below.
  }
  if (listAt(said, "keys").length === 0)
    throw new DrayError("NETWORK", "Google's keys cannot be had: the answer has none", { retryable: true });
  return said as JSONWebKeySet;
};

/**
 * Checks tokens that Pub/Sub sends with a push: signed by Google, for this audience, of this account. Google's keys are kept as long as it says.
 * @see https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 */
export const googleTokens = (connection: Handler, clock: Clock) => {
  let known: { readonly keys: JSONWebKeySet; readonly until: number } | undefined;
  const keys = async (): Promise<JSONWebKeySet> => {
    const now = clock.now();
    if (known !== undefined && now < known.until) return known.keys;
    const response = await connection({ method: "GET", ...certificates, headers: [["Accept", "application/json"]] });
    const bytes = await collect(response.body.chunks, 1 << 20, "the keys of Google");
    if (response.status !== 200)
      throw new DrayError("NETWORK", `Google's keys cannot be had: status ${response.status}`, { retryable: true });
    const [, age = "0"] = /max-age=(\d+)/.exec(header(response.headers, "cache-control") ?? "") ?? [];
    const kept = Math.min(Math.max(Number(age) * 1000, leastKept), mostKept);
    known = { keys: keysIn(bytes), until: now + kept };
    return known.keys;
  };
  /** Whether the request has such a token. @throws DrayError where Google's keys cannot be had */
  return async (headers: HeaderPairs, { account, audience }: GoogleAccount): Promise<boolean> => {
    const [, token] = /^Bearer +(\S+)$/i.exec(header(headers, "authorization") ?? "") ?? [];
    if (token === undefined) return false;
    // Loaded with the first token.
    const { createLocalJWKSet, errors, jwtVerify } = await import("jose");
    const believed = await keys();
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(believed), {
        issuer: issuers,
        audience,
        algorithms: ["RS256"],
        currentDate: new Date(clock.now()),
        clockTolerance: 60,
      });
      return (
        payload["email_verified"] === true &&
        typeof payload["email"] === "string" &&
        sameText(payload["email"], account)
      );
    } catch (error) {
      if (error instanceof errors.JOSEError) return false;
      throw error;
    }
  };
};
