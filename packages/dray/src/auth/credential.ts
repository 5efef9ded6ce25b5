import { createHmac, randomBytes } from "node:crypto";
import { defined } from "../defined.ts";
import type { Credential } from "./types.ts";

/** What a credential consists of, strongest first: a registry token is sent as it is, an identity token is exchanged. */
export type CredentialKind = "registry token" | "identity token" | "password" | "anonymous";

/** What a credential is: a password, a token for the token service, a token for the registry. */
export const kindOf = (credential: Credential | undefined): CredentialKind => {
  if (credential?.registryToken) return "registry token";
  if (credential?.identityToken) return "identity token";
  return credential?.username || credential?.password ? "password" : "anonymous";
};

/** In words and without the secret: `password of bob`. */
export const describeCredential = (credential: Credential): string =>
  `${kindOf(credential)}${credential.username ? ` of ${credential.username}` : ""}`;

/** Drawn once per process: an identity in a log or a metric must not be a hash that a short password can be guessed from. */
let key: Uint8Array | undefined;

/**
 * Names whoever a credential stands for, as long as the process lives: equal for equal credentials wherever they came
 * from, `anonymous` for none. For keys of budgets and caches; nothing can be learned from it.
 */
export const identityOf = (credential: Credential | undefined): string => {
  if (credential === undefined || kindOf(credential) === "anonymous") return "anonymous";
  const { username = "", password = "", identityToken = "", registryToken = "" } = credential;
  const parts = JSON.stringify([username, password, identityToken, registryToken]);
  // Not when the module is loaded: some runtimes have no randomness before the first request.
  key ??= randomBytes(32);
  return createHmac("sha256", key).update(parts).digest("hex").slice(0, 24);
};

/** When a token ends, if it is a JWT that says so (RFC 7519 4.1.4). Only for telling people and asking in time: nothing is verified. */
export const tokenExpiry = (token: string): Date | undefined => {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
    const expiry = (claims as { exp?: unknown } | null)?.exp;
    if (typeof expiry !== "number") return undefined;
    const date = new Date(expiry * 1000);
    return Number.isNaN(date.getTime()) ? undefined : date;
  } catch {
    return undefined;
  }
};

/** A credential of those parts that are there, with the end that its token names. */
export const credentialOf = (parts: Omit<Credential, "source" | "expiresAt">, source: string): Credential => {
  const token = parts.registryToken ?? parts.identityToken;
  return defined<Credential>({ ...parts, expiresAt: token === undefined ? undefined : tokenExpiry(token), source });
};
