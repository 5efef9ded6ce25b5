import type { Token } from "../auth/index.ts";
import { bytesContent, type Cancel, type Content } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type HeaderPairs, type HttpResponse, unsendable } from "../http/index.ts";
import { isRepository } from "../oci/index.ts";
import type { Api } from "./api.ts";
import { cannotBeSent, pairsOf } from "./connect-options.ts";
import { each } from "./pages.ts";
import { createRepository, type Repository } from "./repository.ts";
import { type Listing, listRepositories, type TagsOptions } from "./tags.ts";

/** What a registry that lets us in wanted to know. */
export interface Reached {
  /** Whether it asked who we are. */
  readonly asked: boolean;
}

/** A registry, with one pool of connections, one budget and one set of tokens for all of its repositories. */
export interface Registry {
  /** As references name it: `docker.io`, `localhost:5000`. */
  readonly name: string;
  /**
   * Asks whether the registry is one and lets us in. Nobody needs to: every other request finds out by itself. One that asks nobody who they are
   * (`asked` is `false`) has not looked at any credentials.
   * @throws DrayError `UNAUTHORIZED`, `NETWORK`, `TLS`, `REGISTRY`
   */
  ping(options?: Cancel): Promise<Reached>;
  /**
   * The repositories, page after page as they are asked for; many registries do not tell.
   * @throws DrayError `UNSUPPORTED`, `UNAUTHORIZED`, `DENIED`
   */
  catalog(options?: TagsOptions): Listing;
  /**
   * Asks for anything else, with the registry's credentials, budget and repetitions: an API of its vendor's. Whatever status comes is an answer.
   * Read its body to the end or discard it.
   * @throws DrayError `USAGE`, and what a request throws that gets no answer
   * @example
   * const { status, body } = await registry.request({ target: "/v2/_ext/search?q=app" });
   * const found = JSON.parse(new TextDecoder().decode(await collect(body.chunks, 1024 * 1024, "the answer")));
   */
  request(request: RegistryRequest): Promise<HttpResponse>;
  /** The store of a repository: the same object for the same name, as long as anybody has it. No request. */
  repository(name: string): Repository;
  /**
   * A token for scopes such as `repository:team/app:pull`, for use outside of Dray.
   * @throws DrayError `UNSUPPORTED` where the registry does not work with tokens, `UNAUTHORIZED`, `DENIED`
   */
  token(scopes: readonly string[], options?: Cancel): Promise<Token>;
  /** Closes the connections. */
  close(): Promise<void>;
  /** The same, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A request of the caller's own. */
export interface RegistryRequest extends Cancel {
  /** Default `GET`. POST and PATCH are never repeated, since nobody knows what a first one did. */
  readonly method?: string | undefined;
  /** Path and query on the registry, or a URL; on another host nothing of ours is sent. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>> | HeaderPairs | undefined;
  readonly body?: Uint8Array | Content | undefined;
  /** What a token has to allow, such as `repository:team/app:pull`. Default: what the registry asks for. */
  readonly scopes?: readonly string[] | undefined;
  /** Repository that credentials are looked up for, where they may belong to a path. */
  readonly repository?: string | undefined;
}

const askAs = async (api: Api, request: RegistryRequest): Promise<HttpResponse> => {
  const { method = "GET", target, headers = [], body, scopes = [], repository, signal } = request;
  if (typeof target === "string" ? !target.startsWith("/") : !/^https?:$/.test(target.protocol))
    throw new DrayError(
      "USAGE",
      `option target is "${String(target)}"; it has to be a path that begins with "/", or a URL`,
    );
  const pairs = pairsOf(headers);
  const wrong = unsendable(pairs);
  if (wrong !== undefined) throw new DrayError("USAGE", `option headers: ${cannotBeSent(wrong)}`);
  return api.send({
    method,
    target,
    headers: pairs,
    body: body === undefined || !ArrayBuffer.isView(body) ? body : bytesContent(body),
    scopes,
    repository,
    repeatable: !/^(?:POST|PATCH)$/i.test(method),
    doing: `asking ${method}`,
    reference: api.registry,
    ofCaller: true,
    signal,
  });
};

/** The names below a path, without it. */
const below = (names: Listing, prefix: string): Listing => {
  const within = (page: readonly string[]): string[] =>
    page.filter((name) => name.startsWith(`${prefix}/`)).map((name) => name.slice(prefix.length + 1));
  const pages = async function* (): AsyncGenerator<readonly string[]> {
    for await (const page of names.pages()) yield within(page);
  };
  return { pages, [Symbol.asyncIterator]: () => each(pages()) };
};

/** A registry behind its API. @param prefix path below which everything lies */
export const createRegistry = (
  api: Api,
  { token, close }: Pick<Registry, "token" | "close">,
  prefix?: string,
): Registry => {
  const repositories = new Map<string, WeakRef<Repository>>();
  const collected = new FinalizationRegistry<string>((name) => {
    if (repositories.get(name)?.deref() === undefined) repositories.delete(name);
  });
  return {
    name: api.registry,
    ping: async ({ signal } = {}) => {
      const call = { method: "GET", target: "/v2/", scopes: [], doing: "reaching", reference: api.registry, signal };
      const { body, asked = false } = await api.ask(call, 200);
      await body.discard();
      return { asked };
    },
    catalog: (options = {}) => {
      if (prefix === undefined) return listRepositories(api, options);
      const last = options.last === undefined ? undefined : `${prefix}/${options.last}`;
      return below(listRepositories(api, { ...options, last }), prefix);
    },
    request: (request) => askAs(api, request),
    repository: (path) => {
      const name = prefix === undefined ? path : `${prefix}/${path}`;
      const known = repositories.get(name)?.deref();
      if (known !== undefined) return known;
      if (!isRepository(name))
        throw new DrayError("REFERENCE_INVALID", `"${name}" is no name of a repository`, { registry: api.registry });
      const made = createRepository(api, name);
      repositories.set(name, new WeakRef(made));
      collected.register(made, name);
      return made;
    },
    token,
    close,
    [Symbol.asyncDispose]: close,
  };
};
