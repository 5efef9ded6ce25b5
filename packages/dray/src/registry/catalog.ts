import { isDrayError, restated } from "../errors.ts";
import type { Api } from "./api.ts";
import { each } from "./each.ts";
import { pagesOfNames, type TagsOptions } from "./tags.ts";

/**
 * The repositories of a registry, page after page as they are asked for. Many registries do not tell everybody, or nobody.
 * @throws DrayError `UNSUPPORTED`, `UNAUTHORIZED`, `DENIED`
 * @see https://distribution.github.io/distribution/spec/api/#listing-repositories
 */
export const listRepositories = (api: Api, options: Omit<TagsOptions, "last"> = {}): AsyncIterable<string> =>
  each(pages(api, options));

async function* pages(api: Api, options: Omit<TagsOptions, "last">): AsyncGenerator<readonly string[]> {
  const call = {
    method: "GET",
    scopes: ["registry:catalog:*"],
    doing: "listing the repositories of",
    reference: api.registry,
    signal: options.signal,
  };
  try {
    yield* pagesOfNames(api, call, "/v2/_catalog", "repositories", options);
  } catch (error) {
    if (!isDrayError(error) || ![404, 405, 501].includes(error.status ?? 0)) throw error;
    throw restated(error, "UNSUPPORTED", `${api.registry} does not list its repositories; name the one you mean`);
  }
}
