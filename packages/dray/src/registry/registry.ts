import type { Token } from "../auth/index.ts";
import type { Cancel } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { isRepository } from "../oci/index.ts";
import type { Api } from "./api.ts";
import { createRepository, type Repository } from "./repository.ts";
import { listRepositories, type TagsOptions } from "./tags.ts";

/** A registry, with one pool of connections, one budget and one set of tokens for all of its repositories. */
export interface Registry {
  /** As references name it: `docker.io`, `localhost:5000`. */
  readonly name: string;
  /**
   * Asks whether the registry is one and lets us in. Nobody needs to: every other request finds out by itself.
   * @throws DrayError `UNAUTHORIZED`, `NETWORK`, `TLS`, `REGISTRY`
   */
  ping(options?: Cancel): Promise<void>;
  /**
   * The repositories, page after page as they are asked for; many registries do not tell.
   * @throws DrayError `UNSUPPORTED`, `UNAUTHORIZED`, `DENIED`
   */
  catalog(options?: Omit<TagsOptions, "last">): AsyncIterable<string>;
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

/** A registry behind its API. */
export const createRegistry = (api: Api, { token, close }: Pick<Registry, "token" | "close">): Registry => {
  const repositories = new Map<string, WeakRef<Repository>>();
  const collected = new FinalizationRegistry<string>((name) => {
    if (repositories.get(name)?.deref() === undefined) repositories.delete(name);
  });
  return {
    name: api.registry,
    ping: async ({ signal } = {}) => {
      const call = { method: "GET", target: "/v2/", scopes: [], doing: "reaching", reference: api.registry, signal };
      await (await api.ask(call, 200)).body.discard();
    },
    catalog: (options) => listRepositories(api, options),
    repository: (name) => {
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
