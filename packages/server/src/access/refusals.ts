import type { Action, Need, Verdict } from "./types.ts";

type Refused = Extract<Verdict, { allowed: false }>;

/** Not known, or not known for this. */
export const unauthorised = (message: string, challenge: string): Refused => ({
  allowed: false,
  status: 401,
  message,
  headers: { "WWW-Authenticate": challenge },
});

export const forbidden = (message: string): Refused => ({ allowed: false, status: 403, message });

/** Cannot be told now. */
export const later = (status: 429 | 503, message: string, seconds: number): Refused => ({
  allowed: false,
  status,
  message,
  headers: { "Retry-After": String(Math.max(1, Math.ceil(seconds))) },
});

const words: Readonly<Record<Action, string>> = { pull: "pulling from", push: "pushing to", delete: "deleting in" };

/** A need in words: `pushing to team/app`. */
export const saidOf = (need: Need): string => {
  if ("repository" in need) return `${words[need.actions.at(-1) ?? "pull"]} ${need.repository}`;
  return "catalog" in need ? "listing all repositories" : "this";
};
