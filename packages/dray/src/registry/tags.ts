import type { Cancel, OnEvent } from "../content/index.ts";
import { DrayError, isDrayError, restated } from "../errors.ts";
import { type HttpResponse, header } from "../http/index.ts";
import { refuseNumber } from "../numbers.ts";
import { type Api, type Call, callIn, pathIn, type Repo } from "./api.ts";
import { each, pagesOf } from "./pages.ts";

/** Names, asked for page after page as they are read. Each way of reading asks from the beginning. */
export interface Listing extends AsyncIterable<string> {
  /** The same as the registry pages them: to stop after some, or to go on by `last` where a registry cuts its list without saying so. */
  pages(): AsyncIterable<readonly string[]>;
}

const listing = (pages: () => AsyncGenerator<readonly string[]>): Listing => ({
  pages,
  [Symbol.asyncIterator]: () => each(pages()),
});

/** Which part of a list of names is listed. */
export interface TagsOptions extends Cancel {
  /** Names in a page, as asked of the registry. Default 1000; 0 leaves it to the registry. */
  readonly pageSize?: number | undefined;
  /** Begins after this name, in the registry's order. */
  readonly last?: string | undefined;
  /** Hears of a list that ends before it should (a warning that is `partial`), and of what else happens, in place of the connection's own. */
  readonly onEvent?: OnEvent | undefined;
}

/** What every registry allows. */
const usualPage = 1000;

/**
 * The tags of a repository, page after page as they are asked for, in the registry's order, which is no order to rely on.
 * @throws DrayError `NOT_FOUND`
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export const listTags = (repo: Repo, options: TagsOptions = {}): Listing => {
  refuseNumber("pageSize", options.pageSize, { from: 0 });
  return listing(() => tagPages(repo, options));
};

/** The pages of a repository's list of tags. */
export const tagPages = (repo: Repo, options: PagesOptions): AsyncGenerator<readonly string[]> => {
  const call = {
    ...callIn(repo, "pull", "listing the tags of"),
    method: "GET",
    signal: options.signal,
    onEvent: options.onEvent,
  };
  return pagesOfNames(repo.api, call, pathIn(repo, "tags/list"), "tags", options);
};

/** Whether a registry says that it does not know a repository. Asked once: whatever else it answers is no. */
export const isNewRepository = async (repo: Repo, { signal }: Cancel = {}): Promise<boolean> => {
  const call = {
    ...callIn(repo, "pull", "listing the tags of"),
    method: "GET",
    target: pathIn(repo, "tags/list?n=1"),
    signal,
    retry: false,
  };
  const response = await repo.api.send(call);
  if (response.status === 404) return (await repo.api.refusal(call, response)).registryCode === "NAME_UNKNOWN";
  await response.body.discard();
  return false;
};

/**
 * The repositories of a registry, page after page as they are asked for. Many registries do not tell everybody, or nobody.
 * @throws DrayError `UNSUPPORTED`, `UNAUTHORIZED`, `DENIED`
 * @see https://distribution.github.io/distribution/spec/api/#listing-repositories
 */
export const listRepositories = (api: Api, options: TagsOptions = {}): Listing => {
  refuseNumber("pageSize", options.pageSize, { from: 0 });
  return listing(() => repositoryPages(api, options));
};

async function* repositoryPages(api: Api, options: TagsOptions): AsyncGenerator<readonly string[]> {
  const call = {
    method: "GET",
    scopes: ["registry:catalog:*"],
    doing: "listing the repositories of",
    reference: api.registry,
    signal: options.signal,
    onEvent: options.onEvent,
  };
  try {
    yield* pagesOfNames(api, call, "/v2/_catalog", "repositories", options);
  } catch (error) {
    if (!isDrayError(error) || ![404, 405, 501].includes(error.status ?? 0)) throw error;
    throw restated(error, "UNSUPPORTED", `${api.registry} does not list its repositories; name the one you mean`);
  }
}

/** Which part of a list of names is listed, and who sees what else its pages say. */
interface PagesOptions extends TagsOptions {
  readonly onPage?: ((page: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** The names in a list, page after page. */
async function* pagesOfNames(
  api: Api,
  call: Omit<Call, "target">,
  path: string,
  member: "tags" | "repositories",
  { pageSize = usualPage, last, onPage }: PagesOptions,
): AsyncGenerator<readonly string[]> {
  const target = path + queryOf(pageSize, last);
  const fallback = path + queryOf(pageSize > usualPage ? usualPage : 0, last);
  const first = await firstPage(api, { ...call, target }, fallback);
  let whole: readonly string[] | undefined;
  for await (const { value, response } of pagesOf(api, { ...call, target }, first)) {
    onPage?.(value);
    // Some say null where there are none. An error with status 200 is no list, above all no empty one.
    const list = value[member] ?? (Array.isArray(value["errors"]) ? undefined : []);
    if (!Array.isArray(list) || !list.every((name) => typeof name === "string"))
      throw new DrayError("REGISTRY", `${api.registry} lists ${call.reference} with something else than names`, {
        registry: api.registry,
        reference: call.reference,
      });
    yield list as string[];
    // Some cut their lists off where they were asked to, and name no next page.
    whole = list.length === pageSize && header(response.headers, "Link") === undefined ? list : undefined;
  }
  const after = whole?.at(-1);
  if (whole === undefined || after === undefined || after === last) return;
  const known = new Set(whole);
  for await (const list of pagesOfNames(api, call, path, member, { pageSize, last: after, onPage })) {
    // Who does not know where to go on begins anew.
    const others = list.filter((name) => !known.has(name));
    if (others.length > 0) yield others;
    if (others.length < list.length) return;
  }
}

/** Some registries refuse a page that is larger than they like instead of making it smaller: ECR with 405, docker-registry's catalog with 400. */
const firstPage = async (api: Api, call: Call & { target: string }, fallback: string): Promise<HttpResponse> => {
  const response = await api.send(call);
  if (response.status === 200) return response;
  const refused = await api.refusal(call, response);
  if ((response.status !== 405 && response.status !== 400) || call.target === fallback) throw refused;
  return api.ask({ ...call, target: fallback }, 200);
};

const queryOf = (pageSize: number, last: string | undefined): string => {
  const parts = [
    ...(pageSize > 0 ? [`n=${pageSize}`] : []),
    ...(last === undefined ? [] : [`last=${encodeURIComponent(last)}`]),
  ];
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
};
