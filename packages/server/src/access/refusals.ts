import type { Action, Need, Verdict } from "./access.ts";

export const forbidden = (message: string): Verdict => ({ allowed: false, status: 403, message });

const words: Readonly<Record<Action, string>> = { pull: "pulling from", push: "pushing to", delete: "deleting in" };

/** A need in words: `pushing to team/app`. */
export const saidOf = (need: Need): string => {
  if ("repository" in need) return `${words[need.actions.at(-1) ?? "pull"]} ${need.repository}`;
  return "catalog" in need ? "listing all repositories" : "this";
};
