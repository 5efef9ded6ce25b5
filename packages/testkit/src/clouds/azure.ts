import { collect } from "dray/content";
import { type Handler, header } from "dray/http";
import { bodyChunks } from "../body.ts";
import { respond, splitTarget } from "../respond.ts";

/** How Azure's tokens are. */
export interface AzureOptions {
  /** What `expires_in` says. Default 3600. */
  readonly expiresIn?: number;
  /** How long refresh tokens of registries live. Default 3 hours. */
  readonly refreshSeconds?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Azure, as far as its registries' credentials go. */
export interface Azure {
  /** `login.microsoftonline.com` and its like. */
  readonly login: Handler;
  /** The metadata of a machine: managed identity. */
  readonly metadata: Handler;
  /** `/oauth2/exchange` of a registry. */
  readonly registry: Handler;
  /** What was asked and how it was answered: `200 token client_credentials https://containerregistry.azure.net/.default`. */
  readonly asked: string[];
}

/** What a service principal proves itself with. */
const secret = "secret-of-the-principal";

/** Azure's endpoints. Each refresh token says in its subject how it was got. */
export const azure = ({ expiresIn = 3600, refreshSeconds = 3 * 3600, now = Date.now }: AzureOptions = {}): Azure => {
  const asked: string[] = [];
  const json = { "Content-Type": "application/json" };

  const login: Handler = async (request) => {
    const { path } = splitTarget(request.target);
    const host = new URL(request.origin).host;
    if (path.endsWith("/.well-known/openid-configuration")) {
      const tenant = `https://${host}/${path.split("/")[1]}`;
      return respond(
        request,
        200,
        json,
        JSON.stringify({
          token_endpoint: `${tenant}/oauth2/v2.0/token`,
          authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
          issuer: `${tenant}/v2.0`,
          jwks_uri: `${tenant}/discovery/v2.0/keys`,
        }),
      );
    }
    if (path.startsWith("/common/discovery/instance"))
      return respond(
        request,
        200,
        json,
        JSON.stringify({
          tenant_discovery_endpoint: `https://${host}/common/v2.0/.well-known/openid-configuration`,
          metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
        }),
      );
    const form = new URLSearchParams(
      new TextDecoder().decode(await collect(bodyChunks(request), 1 << 16, "the request")),
    );
    const how =
      form.get("client_assertion") === "federated-token"
        ? "federated"
        : form.get("client_secret") === secret
          ? "secret"
          : "";
    asked.push(`${how === "" ? 401 : 200} ${host} ${form.get("grant_type")} ${form.get("scope")} ${how}`.trimEnd());
    if (how === "")
      return respond(
        request,
        401,
        json,
        JSON.stringify({
          error: "invalid_client",
          error_description: `AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1`,
          error_codes: [7000215],
        }),
      );
    return respond(
      request,
      200,
      json,
      JSON.stringify({ token_type: "Bearer", expires_in: expiresIn, access_token: `token-by-${how}` }),
    );
  };

  const metadata: Handler = async (request) => {
    const { path, query } = splitTarget(request.target);
    asked.push(`${request.method} ${path} ${query.get("resource")}`);
    if (header(request.headers, "metadata") !== "true") return respond(request, 400, json, "{}");
    if (path.replace(/\/$/, "") !== "/metadata/identity/oauth2/token") return respond(request, 404);
    return respond(
      request,
      200,
      json,
      JSON.stringify({
        token_type: "Bearer",
        access_token: "token-by-machine",
        expires_in: String(expiresIn),
        expires_on: String(Math.floor(now() / 1000) + expiresIn),
        resource: query.get("resource"),
      }),
    );
  };

  const registry: Handler = async (request) => {
    const { path } = splitTarget(request.target);
    const form = new URLSearchParams(
      new TextDecoder().decode(await collect(bodyChunks(request), 1 << 16, "the request")),
    );
    const token = form.get("access_token") ?? "";
    const known =
      path === "/oauth2/exchange" && form.get("grant_type") === "access_token" && token.startsWith("token-by-");
    asked.push(`${known ? 200 : 401} exchange ${form.get("service")}`);
    if (!known)
      return respond(
        request,
        401,
        json,
        JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }),
      );
    const claims = { sub: token.replace("token-by-", "refresh-by-"), exp: Math.floor(now() / 1000) + refreshSeconds };
    const parts = [{ alg: "none" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    return respond(request, 200, json, JSON.stringify({ refresh_token: `${parts.join(".")}.c2lnbmF0dXJl` }));
  };

  return { login, metadata, registry, asked };
};
