import { isObject } from "dray/oci";
import type { Need, Principal } from "../access.ts";

/** What a token allows. */
export interface Grants {
  has(type: string, name: string, action: string): boolean;
}

/**
 * Reads the claim `access`: `[{type, class?, name, actions}]`. Names are compared as they are; the action `*` is all of them.
 * @returns nothing where it is of another shape. @see https://distribution.github.io/distribution/spec/auth/jwt/
 */
export const grantsOf = (access: unknown): Grants | undefined => {
  if (!Array.isArray(access ?? [])) return undefined;
  const granted = new Map<string, Set<string>>();
  for (const entry of (access ?? []) as unknown[]) {
    if (!isObject(entry)) return undefined;
    const { type, name, actions } = entry;
    if (typeof type !== "string" || typeof name !== "string" || !isActions(actions)) return undefined;
    const before = granted.get(`${type}:${name}`) ?? [];
    granted.set(`${type}:${name}`, new Set([...before, ...actions]));
  }
  return {
    has: (type, name, action) => {
      const actions = granted.get(`${type}:${name}`);
      return actions !== undefined && (actions.has(action) || actions.has("*"));
    },
  };
};

const isActions = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((action) => typeof action === "string");

/** A need as the token protocol asks for it: `repository:a/b:pull,push`. Nothing where any token will do. */
export const scopeOf = (need: Need): string | undefined => {
  if ("repository" in need) return `repository:${need.repository}:${need.actions.join(",")}`;
  return "catalog" in need ? "registry:catalog:*" : undefined;
};

/** `principal` is the token's holder, who may also do what anybody may. */
export const covers = (grants: Grants, principal: Principal, need: Need): boolean => {
  if ("repository" in need) return need.actions.every((action) => principal.may(need.repository, action));
  return "catalog" in need ? grants.has("registry", "catalog", "*") : "known" in need;
};
