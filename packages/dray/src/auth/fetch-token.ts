import { DrayError } from "../errors.ts";
import type { Handler } from "../http/index.ts";
import type { AuthenticateOptions } from "./authenticate.ts";
import { Authorizer } from "./authorizer.ts";
import { challengesOf } from "./challenge.ts";
import { parseScopes } from "./scope.ts";
import type { Token } from "./token-answer.ts";
import { tokenCache } from "./tokens.ts";

/** For what a token is wanted, and over which connection it is fetched. */
export interface FetchTokenOptions extends Omit<AuthenticateOptions, "origins"> {
  /** The registry's origin. */
  readonly origin: string;
  /** Carries the request that asks the registry for its challenge. */
  readonly connection: Handler;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * A token for the scopes, for use outside of Dray. The rules for credentials and token services are those of `authenticate`.
 * @throws DrayError `UNSUPPORTED` where the registry does not work with tokens; what `authenticate` throws.
 */
export const fetchToken = async (options: FetchTokenOptions): Promise<Token> => {
  const { registry, origin, credentials, connection, scopes, signal, allowPrivate = [], onWarning } = options;
  const { now = Date.now } = options;
  const tokens = tokenCache({ handler: options.tokens, registry, allowPrivate, now });
  const authorizer = new Authorizer({ registry, origin, credentials, tokens, allowPrivate, onWarning });
  const cancel = signal === undefined ? {} : { signal };
  const response = await connection({ method: "GET", origin, target: "/v2/", headers: [], ...cancel });
  await response.body.discard();
  authorizer.learn(response.status, challengesOf(response.headers));
  const token = await authorizer.token({ scopes: parseScopes(scopes), signal });
  if (token !== undefined) return token;
  const message = `${registry} answered ${response.status} without asking for a token; it needs none, or a name and password`;
  throw new DrayError("UNSUPPORTED", message, { registry, status: response.status });
};
