import { createHash } from "node:crypto";
import { challengeOf, credentialsOf, isHeaderText, later, unauthorised } from "@dray/service/identity";
import { DrayError } from "dray/errors";
import type { HttpRequest } from "dray/http";
import { LruCache, SingleFlight } from "dray/internal/async";
import { type Access, forbidden, type Need, type Principal, saidOf, type Verdict } from "../access.ts";
import { type AnonymousOptions, anonymous } from "../anonymous.ts";
import { algorithms } from "./algorithms.ts";
import { covers, scopeOf } from "./grants.ts";
import type { KeyRing } from "./key-ring.ts";
import { type KeysOptions, openKeys } from "./keys.ts";
import { type Holder, type TokenFault, verifyToken } from "./verify-token.ts";

/** As distribution's `auth.token`, with a set of keys by URL and anonymous pulls besides. */
export interface TokensOptions extends AnonymousOptions, KeysOptions {
  /** Where clients get tokens. */
  readonly realm: string;
  /** What this registry is called there; the tokens' audience. */
  readonly service: string;
  readonly issuer: string;
  /** Default all that are supported; a key is only ever used for those of its own kind. */
  readonly signingalgorithms?: readonly string[];
  /** `true`: the realm is this registry's own host, over https, with `autoredirectpath`. */
  readonly autoredirect?: boolean;
  /** Default `/auth/token/`. */
  readonly autoredirectpath?: string;
}

/** A few thousand tokens. */
const memory = 16 * 1024 * 1024;

interface Remembered {
  readonly holder: Holder;
  readonly ring: KeyRing;
}

/**
 * Tokens of an external service, as distribution takes them.
 * @throws DrayError `CONFIG_INVALID` where there is nothing to verify tokens with, or an option makes no sense
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export const tokens = async (options: TokensOptions): Promise<Access> => {
  const { service, issuer, now = Date.now } = options;
  checkOptions(options);
  const anybody = anonymous(options);
  const rules = { issuer, service, algorithms: new Set(options.signingalgorithms ?? algorithms) };
  const keys = await openKeys(options);
  const right = new LruCache<string, Remembered>(memory);
  const running = new SingleFlight<Holder | TokenFault | "unavailable">();

  const holderOf = (token: string): Holder | Promise<Holder | TokenFault | "unavailable"> => {
    const key = createHash("sha256").update(token).digest("base64");
    const ring = keys.ring();
    const known = right.get(key);
    if (known !== undefined && known.ring === ring && known.holder.until > now()) return known.holder;
    return running.run(key, () => verifyFresh(token, key));
  };

  const verifyFresh = async (token: string, key: string): Promise<Holder | TokenFault | "unavailable"> => {
    let ring = keys.ring();
    let found = await verifyToken(token, ring, rules, now());
    if (found === "unknown key") {
      await keys.refresh();
      if (keys.ring() !== ring) {
        ring = keys.ring();
        found = await verifyToken(token, ring, rules, now());
      }
      if (found === "unknown key" && !keys.complete()) return "unavailable";
    }
    if (typeof found !== "string") right.set(key, { holder: found, ring }, token.length + 500);
    return found;
  };

  const decide = (request: HttpRequest, need: Need): Verdict | Promise<Verdict> => {
    const refuse = (message: string, error?: string): Verdict =>
      unauthorised(message, challenge(options, request, need, error));
    const credentials = credentialsOf(request);
    if (credentials.kind === "none" && anybody.allows(need)) return { allowed: true, principal: anybody.principal };
    if (credentials.kind === "none") return refuse(`${saidOf(need)} needs a token`);
    if (credentials.kind !== "bearer") return refuse("this registry takes tokens alone");
    const judge = (holder: Holder | TokenFault | "unavailable"): Verdict => {
      if (holder === "unavailable") return later(503, "tokens cannot be verified at the moment; try again soon", 5);
      if (holder === "expired") return refuse("the token has expired", "invalid_token");
      if (typeof holder === "string") return refuse("the token is not valid here", "invalid_token");
      if ("nobody" in need) return forbidden("nobody is allowed this");
      const principal = principalOf(holder, need, anybody.principal);
      return covers(holder.grants, principal, need)
        ? { allowed: true, principal }
        : refuse(`the token does not allow ${lackedBy(principal, need)}`, "insufficient_scope");
    };
    const holder = holderOf(credentials.token);
    return holder instanceof Promise ? holder.then(judge) : judge(holder);
  };

  return {
    authorise: (request, need) => {
      const fresh = keys.fresh();
      return fresh === undefined ? decide(request, need) : fresh.then(() => decide(request, need));
    },
    reload: () => keys.reload(),
  };
};

/**
 * Who holds a token, for one request. A token for the catalog is one for all of it, as in distribution: its holder sees the name of
 * every repository, while what is in them takes another token.
 */
const principalOf = ({ name, grants }: Holder, need: Need, anybody: Principal): Principal => ({
  name,
  may: (repository, action) =>
    ("catalog" in need && action === "pull") ||
    grants.has("repository", repository, action) ||
    anybody.may(repository, action),
});

/** What a token lacks, in words: one that allows pushing alone pushes nothing, which whoever makes such tokens looks for elsewhere. */
const lackedBy = (principal: Principal, need: Need): string => {
  if (!("repository" in need)) return saidOf(need);
  const actions = need.actions.filter((action) => !principal.may(need.repository, action));
  return actions.at(-1) === need.actions.at(-1)
    ? saidOf(need)
    : `${saidOf({ ...need, actions })}, which ${saidOf(need)} takes as well`;
};

const challenge = (options: TokensOptions, request: HttpRequest, need: Need, error: string | undefined): string => {
  const scope = scopeOf(need);
  return challengeOf("Bearer", [
    ["realm", realmOf(options, request)],
    ["service", options.service],
    ...(scope === undefined ? [] : [["scope", `${scope}${mountScope(need)}`] as const]),
    ...(error === undefined ? [] : [["error", error] as const]),
  ]);
};

const mountScope = (need: Need): string =>
  "from" in need && need.from !== undefined ? ` repository:${need.from}:pull` : "";

const hostName = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i;

const realmOf = (
  { realm, autoredirect, autoredirectpath = "/auth/token/" }: TokensOptions,
  request: HttpRequest,
): string => {
  const host = autoredirect === true ? request.origin.replace(/^[a-z]+:\/\//i, "") : "";
  return hostName.test(host) ? `https://${host}${autoredirectpath}` : realm;
};

const checkOptions = (options: TokensOptions): void => {
  const { realm, service, issuer, rootcertbundle, jwks, jwksUrl, fetchJson, signingalgorithms = [] } = options;
  const wrong = (why: string): DrayError => new DrayError("CONFIG_INVALID", `access by tokens: ${why}`);
  for (const [name, text] of Object.entries({
    realm,
    service,
    issuer,
    autoredirectpath: options.autoredirectpath ?? "/",
  }))
    if (text === "" || !isHeaderText(text)) throw wrong(`${name} must be plain text, and not empty`);
  if ((rootcertbundle ?? jwks ?? jwksUrl) === undefined)
    throw wrong("without rootcertbundle, jwks or a URL of keys no token can be verified; set one of them");
  if (jwksUrl !== undefined && fetchJson === undefined) throw wrong("keys by URL need something to fetch them with");
  const unknown = signingalgorithms.find((algorithm) => !algorithms.includes(algorithm));
  if (unknown !== undefined)
    throw wrong(
      `${JSON.stringify(unknown)} is no algorithm for signatures that is supported: ${algorithms.join(", ")}`,
    );
};
