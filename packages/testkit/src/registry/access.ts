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

/** A challenge for `WWW-Authenticate`, or `undefined` where the request may go on. */
export const challengeOf = (
  access: RegistryAccess | undefined,
  request: HttpRequest,
  needed: readonly Access[],
): string | undefined => {
  if (access === undefined) return undefined;
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
