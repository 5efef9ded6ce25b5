import { type Flight, LruCache, SingleFlight } from "../async/index.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type Challenge } from "./challenge.ts";
import { describeCredential, identityOf, kindOf } from "./credential.ts";
import { mayHaveCredentials, type RealmRefusal, realmRefusal, realmUrl } from "./realm.ts";
import { mergeScopes, parseScopes, type Scope, scopesKey } from "./scope.ts";
import { basic, type Token } from "./token-request.ts";
import type { Tokens } from "./tokens.ts";
import type { Credential, Keychain } from "./types.ts";

/** What one request needs to be allowed. */
export interface Needs {
  /** Default: one that reads. */
  readonly method?: string | undefined;
  readonly scopes: readonly Scope[];
  readonly repository?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a request was, or is to be, sent with. */
export interface Authorization {
  /** Value of the header; none: anonymous. */
  readonly value?: string;
  /** The token in it, where it was got from a token service, and whether just now. */
  readonly token?: string;
  readonly fresh?: boolean;
  /** Whose it is. */
  readonly identity?: string;
  /** Whether another credential than before is tried. */
  readonly other?: boolean;
}

export interface AuthorizerOptions {
  readonly registry: string;
  /** The origin that asks who we are. */
  readonly origin: string;
  /** None: an origin that may know us only as anybody, as after a redirect. */
  readonly credentials?: Keychain | undefined;
  readonly tokens: Tokens;
  readonly allowPrivate: readonly string[];
  readonly whenRefused?: "fail" | "anonymous" | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** How an origin wants to be told who asks. */
type Scheme = { readonly kind: "open" | "basic" } | Bearer;

interface Bearer {
  readonly kind: "bearer";
  readonly realm: URL | undefined;
  readonly said: string;
  readonly service: string | undefined;
}

/** Larger scopes remembered at most. */
const mostRequired = 1000;

/** Knows how one origin wants to be asked, from the challenges it has answered with. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #scheme: Scheme | undefined;
  /** By the scopes a request named: those the origin wanted for it, where they were more. */
  readonly #required = new LruCache<string, readonly Scope[]>(mostRequired);
  /** By sets of scopes: what was answered when the registry was asked whether it hides something. */
  readonly #revealed = new LruCache<string, number>(mostRequired);
  readonly #revealing = new SingleFlight<number>();
  #warned = false;
  #warnedOfPlain = false;
  /** Credentials that were refused, and are left out of reads from then on. */
  readonly #refusedIdentities = new Set<string>();
  /** By repository: those of several credentials for it that were refused, until each has been. */
  readonly #passedOver = new LruCache<string, Set<string>>(mostRequired);

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Whether an answer has been seen that tells how to ask. */
  get known(): boolean {
    return this.#scheme !== undefined;
  }

  /** Takes from an answer what it tells. */
  note(status: number, challenges: readonly Challenge[]): void {
    if (status === 401 || status === 403) this.#scheme = this.#choose(challenges) ?? this.#scheme;
    if (status < 500 && status !== 429) this.#scheme ??= { kind: "open" };
  }

  /** What to send, by what is known so far. */
  async authorization(needs: Needs): Promise<Authorization> {
    const scheme = this.#scheme;
    if (scheme === undefined || scheme.kind === "open") return {};
    const credential = await this.#credential(needs, false);
    const direct = directly(scheme, credential);
    if (direct !== undefined) return { value: direct, identity: identityOf(credential) };
    if (scheme.kind !== "bearer" || scheme.realm === undefined) return {};
    const scopes = this.#scopes(needs);
    if (scopes.length === 0 && kindOf(credential) === "anonymous") return {};
    return bearer(await this.#token(scheme, credential, scopes, needs, undefined));
  }

  /**
   * What to send in answer to a refusal, after `note`. `undefined`: nothing that has not been tried.
   * @throws DrayError where a token service refuses us or may not be asked.
   */
  async answer(
    status: number,
    challenges: readonly Challenge[],
    sent: Authorization,
    needs: Needs,
  ): Promise<Authorization | undefined> {
    const wanted = challenges.find(({ scheme }) => scheme === "bearer");
    if (status !== 401 && wanted?.params.get("error") !== "insufficient_scope") return this.#asAnother(sent, needs);
    const scheme = this.#scheme ?? { kind: "open" as const };
    let credential = await this.#credential(needs, false);
    let direct = directly(scheme, credential);
    if (direct !== undefined && direct === sent.value) {
      credential = await this.#credential(needs, true);
      direct = directly(scheme, credential);
      const other = direct === sent.value ? await this.#asAnother(sent, needs) : undefined;
      if (other !== undefined) return other;
    }
    if (direct !== undefined && direct !== sent.value) return { value: direct, identity: identityOf(credential) };
    if (direct !== undefined && !this.#leaveOut(credential, needs)) return undefined;
    if (scheme.kind !== "bearer") return direct === undefined ? undefined : {};
    if (direct !== undefined) credential = undefined;

    const before = this.#scopes(needs);
    const scopes = mergeScopes(parseScopes([wanted?.params.get("scope") ?? ""]), before);
    const more = scopesKey(scopes) !== scopesKey(before);
    if (more && needs.scopes.length > 0) this.#required.set(scopesKey(needs.scopes), scopes);
    // A token that is new and for all of this will not do better for being asked for again.
    if (sent.fresh && !more) return this.#asAnother(sent, needs);
    return bearer(await this.#token(scheme, credential, scopes, needs, sent.token));
  }

  /**
   * Asks how the origin wants to be asked, although it did not say: once for each set of scopes, and only with credentials. Who comes
   * meanwhile or later hears the same status. `undefined`: it is not asked, or could not be.
   */
  async reveal(needs: Needs, ask: (signal: AbortSignal) => Promise<number>): Promise<number | undefined> {
    if (kindOf(await this.#credential(needs, false)) === "anonymous") return undefined;
    const key = scopesKey(needs.scopes);
    const asked = async ({ signal }: Flight): Promise<number> => {
      const status = await ask(signal).catch((error: unknown) => {
        throwIfAborted(signal);
        // That it cannot be asked now says less than what it has answered.
        if (isDrayError(error, "NETWORK", "TIMEOUT")) return 0;
        throw error;
      });
      this.#revealed.set(key, status);
      return status;
    };
    const status = this.#revealed.get(key) ?? (await this.#revealing.run(key, asked, needs.signal));
    return status === 0 ? undefined : status;
  }

  /** A password for a registry that asks for nothing, as some clients send it with every request. It stays with Basic then. */
  async unasked(needs: Needs): Promise<Authorization | undefined> {
    const value = directly({ kind: "basic" }, await this.#credential(needs, false));
    if (value === undefined || this.#scheme?.kind === "bearer") return undefined;
    this.#scheme = { kind: "basic" };
    return { value };
  }

  /** Whom a request stands for, for people: `password of ann from FILE`. */
  async inWords(needs: Needs): Promise<string | undefined> {
    const credential = await this.#credential(needs, false);
    return credential === undefined || kindOf(credential) === "anonymous"
      ? undefined
      : `${describeCredential(credential)} from ${credential.source}`;
  }

  /** A token for the scopes, where the origin wants tokens. */
  async token(needs: Needs): Promise<Token | undefined> {
    const scheme = this.#scheme;
    if (scheme?.kind !== "bearer") return undefined;
    return this.#token(scheme, await this.#credential(needs, false), needs.scopes, needs, undefined);
  }

  #choose(challenges: readonly Challenge[]): Scheme | undefined {
    const bearers = challenges
      .filter(({ scheme }) => scheme === "bearer")
      .map(({ params }) => {
        const said = params.get("realm") ?? "";
        return { kind: "bearer" as const, realm: realmUrl(said), said, service: params.get("service") };
      });
    const usable = bearers.find(({ realm }) => realm !== undefined && this.#refusal(realm) === undefined);
    if (usable !== undefined) return usable;
    if (challenges.some(({ scheme }) => scheme === "basic")) return { kind: "basic" };
    // A refusal need not name the realm again. One that may not be visited is said only where there is no other way.
    return this.#scheme?.kind === "bearer" ? this.#scheme : bearers[0];
  }

  #refusal(realm: URL): RealmRefusal | undefined {
    return realmRefusal(realm, this.#options.origin, this.#options.allowPrivate);
  }

  #scopes({ scopes }: Needs): readonly Scope[] {
    return this.#required.get(scopesKey(scopes)) ?? scopes;
  }

  /** What to send in the name of the next of several credentials, where there is one. */
  async #asAnother({ value, identity = "anonymous" }: Authorization, needs: Needs): Promise<Authorization | undefined> {
    const scheme = this.#scheme;
    if (value === undefined || scheme === undefined || scheme.kind === "open") return undefined;
    const credential = await this.#next(identity, needs);
    if (credential === undefined) return undefined;
    const direct = directly(scheme, credential);
    if (direct !== undefined) return { value: direct, identity: identityOf(credential), other: true };
    if (scheme.kind !== "bearer" || scheme.realm === undefined) return undefined;
    return { ...bearer(await this.#token(scheme, credential, this.#scopes(needs), needs, undefined)), other: true };
  }

  /** The first of several credentials that has not been refused for this repository; `undefined`: there is one alone, or each has been. */
  async #next(refused: string, needs: Needs): Promise<Credential | undefined> {
    const { registry, credentials } = this.#options;
    const { repository = "", signal } = needs;
    const found = await credentials?.({ registry, repository: needs.repository }, { signal });
    if (found?.others === undefined) return undefined;
    const passedOver = this.#passedOver.get(repository) ?? new Set();
    this.#passedOver.set(repository, passedOver.add(refused));
    const next = await this.#credential(needs, false);
    if (next !== undefined && !passedOver.has(identityOf(next))) return next;
    // Each may have been given new rights when it is asked for next.
    passedOver.clear();
    return undefined;
  }

  async #credential(needs: Needs, fresh: boolean): Promise<Credential | undefined> {
    const { registry, origin, credentials, onWarning } = this.#options;
    const { repository, signal } = needs;
    const first = await credentials?.({ registry, repository }, { fresh, signal });
    const passedOver = this.#passedOver.get(repository ?? "");
    const next = first?.others?.find((each) => !passedOver?.has(identityOf(each)));
    const found = passedOver?.has(identityOf(first)) && next !== undefined ? next : first;
    if (found?.secureOnly && origin.startsWith("http:")) {
      if (!this.#warnedOfPlain)
        onWarning?.(
          `the credentials from ${found.source} are not sent to ${registry} over plain http, where anybody could be called so; name it without http://`,
        );
      this.#warnedOfPlain = true;
      return undefined;
    }
    const isLeftOut =
      this.#refusedIdentities.size > 0 && isRead(needs) && this.#refusedIdentities.has(identityOf(found));
    return isLeftOut ? undefined : found;
  }

  /** Whether credentials that were refused may be left out from now on, where that is wanted. A write without them would be refused for another reason than the true one. */
  #leaveOut(credential: Credential | undefined, needs: Needs): boolean {
    const { registry, onWarning } = this.#options;
    const whenRefused = this.#options.whenRefused ?? (credential?.ambient === true ? "anonymous" : "fail");
    if (whenRefused !== "anonymous" || !isRead(needs) || kindOf(credential) === "anonymous") return false;
    const identity = identityOf(credential);
    if (!this.#refusedIdentities.has(identity))
      onWarning?.(
        `the credentials from ${credential?.source} for ${registry} are refused; reading goes on without them`,
      );
    this.#refusedIdentities.add(identity);
    return true;
  }

  /**
   * Asks the token service. Credentials that it refuses are looked up anew, in case they have changed, and tried once
   * more. Unless that is wanted, there is no going on anonymously then: docker, podman and crane fail here too, and whoever has logged in wants
   * to hear that it does not work, not to meet the limits of strangers.
   */
  async #token(
    scheme: Bearer,
    credential: Credential | undefined,
    scopes: readonly Scope[],
    needs: Needs,
    refused: string | undefined,
  ): Promise<GotToken> {
    const { tokens } = this.#options;
    const realm = this.#visitable(scheme);
    const order = { realm, service: scheme.service, scopes };
    const options = { refused, signal: needs.signal };
    try {
      const token = await tokens.get({ ...order, credential: this.#presentable(realm, credential) }, options);
      return { ...token, identity: identityOf(credential) };
    } catch (error) {
      const anonymously = kindOf(credential) === "anonymous";
      const mayChange = isDrayError(error, "UNAUTHORIZED") || (anonymously && isDrayError(error, "DENIED"));
      const again = mayChange ? await this.#credential(needs, true) : credential;
      if (identityOf(again) !== identityOf(credential) && !again?.registryToken)
        return {
          ...(await tokens.get({ ...order, credential: this.#presentable(realm, again) }, options)),
          identity: identityOf(again),
        };
      if (!isDrayError(error, "UNAUTHORIZED", "DENIED")) throw error;
      const next = await this.#next(identityOf(credential), needs);
      if (next !== undefined) return this.#token(scheme, next, scopes, needs, refused);
      if (!this.#leaveOut(credential, needs)) throw error;
      return { ...(await tokens.get(order, options)), identity: identityOf(undefined) };
    }
  }

  #visitable({ realm, said }: Bearer): URL {
    const { registry } = this.#options;
    if (realm === undefined) {
      const message = `${registry} wants a token of "${said}", which is no URL; ask its operator`;
      throw new DrayError("REGISTRY", message, { registry });
    }
    const refused = this.#refusal(realm);
    if (refused === undefined) return realm;
    const message = `${registry} wants a token of ${realm.host}, which is not asked: ${refused.why}`;
    throw new DrayError("ADDRESS_REFUSED", message, { registry, ...refused.facts });
  }

  #presentable(realm: URL, credential: Credential | undefined): Credential | undefined {
    if (kindOf(credential) === "anonymous") return undefined;
    const { registry, origin, onWarning } = this.#options;
    if (mayHaveCredentials(realm, origin)) return credential;
    if (!this.#warned) {
      this.#warned = true;
      onWarning?.(
        `${registry} names ${realm.host} as its token service over plain http, where anybody could have; ` +
          `the credentials from ${credential?.source} are not sent there: reach the registry by https`,
      );
    }
    return undefined;
  }
}

/** Whether a request only looks. One that names no scopes may still write. */
const isRead = ({ method = "GET", scopes }: Needs): boolean =>
  /^(?:GET|HEAD)$/i.test(method) &&
  scopes.every(({ type, actions }) => type === "registry" || actions.every((action) => action === "pull"));

/** What a credential says by itself, without a token service. */
const directly = (scheme: Scheme, credential: Credential | undefined): string | undefined => {
  if (credential?.registryToken) return `Bearer ${headerText(credential.registryToken, credential.source)}`;
  if (scheme.kind !== "basic" || kindOf(credential) !== "password") return undefined;
  return basic(credential?.username ?? "", credential?.password ?? "");
};

/** A token, whether it came just now, and in whose name. */
type GotToken = Token & { readonly fresh: boolean; readonly identity: string };

const bearer = ({ text, fresh, identity }: GotToken): Authorization => ({
  value: `Bearer ${text}`,
  token: text,
  fresh,
  identity,
});

const headerText = (token: string, source: string): string => {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new DrayError(
    "CONFIG_INVALID",
    `the registry token from ${source} holds spaces or line ends; store it without them`,
  );
};
