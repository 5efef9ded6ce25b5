import { randomUUID } from "node:crypto";
import { withJson } from "@dray/service/response";
import { collect } from "dray/content";
import { type Handler, type HttpRequest, type HttpResponse, header } from "dray/http";
import { basicUser } from "../basic.ts";
import { bodyChunks } from "../body.ts";
import { RequestLog } from "../log.ts";
import { refuse, respond, splitTarget } from "../respond.ts";
import { type Access, covers, parseScopes } from "./access.ts";
import { signToken, type TokenSigner } from "./jwt.ts";

export type TokenVerdict = "ok" | "unknown" | "expired" | "insufficient";

/** A token service as a registry and a test see it. */
export interface TokenServer {
  /** Answers `GET` and `POST` of the token protocol, at any path. */
  readonly handler: Handler;
  readonly log: RequestLog;
  /** Whether a token is known, alive, and allows all of this. */
  check(token: string, needed: readonly Access[]): TokenVerdict;
  /** Ends every token given out so far. */
  expireAll(): void;
}

export interface TokenServerOptions {
  /** Passwords by user. Default: nobody has an account, and everybody may do everything. */
  readonly users?: Readonly<Record<string, string>>;
  /** Users by refresh (identity) token. */
  readonly refreshTokens?: Readonly<Record<string, string>>;
  /** The actions of a scope that somebody gets; `account` is missing for anonymous. Default: with `users` none for anonymous, all for others. */
  readonly allow?: (account: string | undefined, access: Access) => readonly string[];
  /** How long a token lives. Default 300. */
  readonly lifetimeSeconds?: number;
  /** What `expires_in` says: default the truth; `false` leaves it out, which means 60. */
  readonly expiresIn?: number | false;
  /** Which member holds the token. Default both. */
  readonly member?: "token" | "access_token";
  /** `false`: POST answers 404, as services without OAuth2 do. Default `true`. */
  readonly post?: boolean;
  /** Makes tokens that a real registry accepts. Default: opaque ones. */
  readonly signer?: TokenSigner;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * A token service: `GET` with Basic or nobody's credentials, `POST` of OAuth2 with a password or a refresh token.
 * @example
 * const tokens = tokenServer({ users: { ann: "secret" }, lifetimeSeconds: 5 });
 * memoryRegistry({ access: { scheme: "bearer", tokens, realm: `${origin}/token` } });
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export const tokenServer = (options: TokenServerOptions = {}): TokenServer => {
  const { users, now = Date.now, lifetimeSeconds = 300 } = options;
  const log = new RequestLog(now);
  const issued = new Map<string, { access: readonly Access[]; expiresAt: number }>();
  const { allow = (account, { actions }) => (users === undefined || account !== undefined ? actions : []) } = options;

  const issue = (request: HttpRequest, account: string | undefined, question: URLSearchParams): HttpResponse => {
    const access = parseScopes(question.getAll("scope").join(" "))
      .map((wanted) => ({ ...wanted, actions: allow(account, wanted) }))
      .filter(({ actions }) => actions.length > 0);
    const issuedAt = now();
    const expiresAt = issuedAt + lifetimeSeconds * 1000;
    const id = randomUUID();
    const seconds = Math.floor(issuedAt / 1000);
    const claims = {
      sub: account ?? "",
      aud: question.get("service") ?? "",
      exp: Math.floor(expiresAt / 1000),
      // A registry whose clock is behind must not refuse a token for being too young.
      nbf: seconds - 10,
      iat: seconds,
      jti: id,
      access,
    };
    const token = options.signer ? signToken(options.signer, claims) : id;
    issued.set(token, { access, expiresAt });
    const { expiresIn = lifetimeSeconds, member } = options;
    return withJson(request, {
      token: member === "access_token" ? undefined : token,
      access_token: member === "token" ? undefined : token,
      expires_in: expiresIn === false ? undefined : expiresIn,
      issued_at: new Date(issuedAt).toISOString(),
    });
  };

  const byPost = async (request: HttpRequest): Promise<HttpResponse> => {
    const bytes = await collect(bodyChunks(request), 64 * 1024, "token request");
    const form = new URLSearchParams(new TextDecoder().decode(bytes));
    const account = oauthUser(form, options);
    return account === undefined ? refused(request) : issue(request, account, form);
  };

  const handler = async (request: HttpRequest): Promise<HttpResponse> => {
    if (request.method === "POST") return options.post === false ? respond(request, 404) : byPost(request);
    if (request.method !== "GET") return respond(request, 405);
    const authorization = header(request.headers, "Authorization");
    const account = authorization === undefined ? undefined : basicUser(authorization, users ?? {});
    if (authorization !== undefined && account === undefined) return refused(request);
    return issue(request, account, splitTarget(request.target).query);
  };

  return {
    handler: log.middleware(handler),
    log,
    check: (token, needed) => {
      const known = issued.get(token);
      if (known === undefined) return "unknown";
      if (now() >= known.expiresAt) return "expired";
      return covers(known.access, needed) ? "ok" : "insufficient";
    },
    expireAll: () => {
      for (const token of issued.values()) token.expiresAt = 0;
    },
  };
};

const oauthUser = (
  form: URLSearchParams,
  { users = {}, refreshTokens = {} }: TokenServerOptions,
): string | undefined => {
  if (form.get("grant_type") === "password") {
    const [user, password] = [form.get("username") ?? "", form.get("password")];
    return Object.hasOwn(users, user) && users[user] === password ? user : undefined;
  }
  const token = form.get("refresh_token") ?? "";
  return form.get("grant_type") === "refresh_token" && Object.hasOwn(refreshTokens, token)
    ? refreshTokens[token]
    : undefined;
};

const refused = (request: HttpRequest): HttpResponse =>
  refuse(request, 401, "UNAUTHORIZED", "incorrect username or password");
