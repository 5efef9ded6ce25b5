import type { RegistryAccess as Authoriser, Need, Verdict } from "@dray/server";
import { type HttpRequest, header } from "dray/http";
import { basicUser } from "../basic.ts";
import type { Access, TokenServer } from "../tokens/index.ts";

/** How a registry knows its users: by password, or by tokens of a token server. */
export type RegistryAccess =
  | { readonly scheme: "basic"; readonly users: Readonly<Record<string, string>>; readonly realm?: string }
  | {
      readonly scheme: "bearer";
      readonly tokens: TokenServer;
      /** Where clients get tokens: the URL of the token server's handler. */
      readonly realm: string;
      readonly service?: string;
    };

/** The access that a server asks, over users and tokens that live in the test. */
export const accessOf = (access: RegistryAccess): Authoriser => ({
  authorise: (request, need): Verdict => {
    if (challengeOf(access, request, scopesOf(need)) !== undefined) {
      const mount: Access[] =
        "from" in need && need.from !== undefined ? [{ type: "repository", name: need.from, actions: ["pull"] }] : [];
      const challenge = challengeOf(access, request, [...scopesOf(need), ...mount]) ?? "";
      return {
        allowed: false,
        status: 401,
        message: "authentication is needed",
        headers: { "WWW-Authenticate": challenge },
      };
    }
    const may = (name: string, action: string): boolean =>
      challengeOf(access, request, [{ type: "repository", name, actions: [action] }]) === undefined;
    return { allowed: true, principal: { name: "", may } };
  },
});

const scopesOf = (need: Need): Access[] => {
  if ("catalog" in need) return [{ type: "registry", name: "catalog", actions: ["*"] }];
  return "repository" in need ? [{ type: "repository", name: need.repository, actions: [...need.actions] }] : [];
};

/** A challenge for `WWW-Authenticate`, or `undefined` where the request may go on. */
const challengeOf = (access: RegistryAccess, request: HttpRequest, needed: readonly Access[]): string | undefined => {
  const authorization = header(request.headers, "Authorization") ?? "";
  if (access.scheme === "basic")
    return basicUser(authorization, access.users) === undefined
      ? `Basic realm="${access.realm ?? "registry"}"`
      : undefined;
  const token = /^bearer (.+)$/i.exec(authorization)?.[1];
  const verdict = token === undefined ? "missing" : access.tokens.check(token, needed);
  if (verdict === "ok") return undefined;
  const scope = needed.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`).join(" ");
  return [
    `Bearer realm="${access.realm}"`,
    `service="${access.service ?? "registry"}"`,
    ...(scope === "" ? [] : [`scope="${scope}"`]),
    ...(verdict === "missing"
      ? []
      : [`error="${verdict === "insufficient" ? "insufficient_scope" : "invalid_token"}"`]),
  ].join(",");
};
