import type { Access, Principal, Verdict } from "./types.ts";

const anybody: Principal = { name: "", may: () => true };
const allowed: Verdict = { allowed: true, principal: anybody };

/** Anybody may do anything: for a registry that only those can reach who may. */
export const openAccess = (): Access => ({ authorise: () => allowed });
