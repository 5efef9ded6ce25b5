import { collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type HttpResponse, headerValues } from "../http/index.ts";
import { isObject } from "../oci/index.ts";
import type { Api, Call } from "./api.ts";

/** A page of a list: its JSON, and the headers it came with. */
export interface Page {
  readonly value: Record<string, unknown>;
  readonly response: HttpResponse;
}

/** Bytes of a page at most. Registries that do not page send hundreds of thousands of names at once. */
const largestPage = 64 * 1024 * 1024;

/**
 * Follows the pages of a list, one in memory at a time. Only the query of a `Link` is taken: host and path stay those
 * that were asked first, so that no link leads elsewhere, and none that a proxy has not translated leads astray.
 * @param call the first page; `target` is a path.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export async function* pagesOf(
  api: Api,
  call: Call & { readonly target: string },
  first: HttpResponse,
): AsyncGenerator<Page> {
  const path = call.target.replace(/\?.*$/s, "");
  const seen = new Set<string>();
  for (let response = first; ; ) {
    const page = { value: await jsonOf(api, call, response), response };
    yield page;
    const query = nextQuery(response);
    if (query === undefined) return;
    if (seen.has(query)) {
      api.settings.onEvent?.({
        type: "warning",
        message: `${api.registry} goes round in circles listing ${call.reference}; the list ends here`,
      });
      return;
    }
    seen.add(query);
    response = await api.ask({ ...call, target: path + query }, 200);
  }
}

/** The query of the next page. */
const nextQuery = (response: HttpResponse): string | undefined => {
  const next = linkTo("next", headerValues(response.headers, "Link"));
  if (next === undefined || !URL.canParse(next, response.url)) return undefined;
  const { search } = new URL(next, response.url);
  return search === "" ? undefined : search;
};

const jsonOf = async (
  api: Api,
  { reference }: Call,
  { body, status }: HttpResponse,
): Promise<Record<string, unknown>> => {
  try {
    const bytes = await collect(body.chunks, largestPage, `the list of ${reference}`);
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isObject(value)) return value;
    throw new SyntaxError("no object");
  } catch (cause) {
    if ((cause as Error).name !== "SyntaxError") throw cause;
    const facts = { status, reference, registry: api.registry, cause };
    throw new DrayError("REGISTRY", `${api.registry} lists ${reference} with something that is no JSON object`, facts);
  } finally {
    await body.discard();
  }
};

/** One link of a `Link` header: where it points and what it is. Parameter names are in lower case, the first of a name wins. */
export interface Link {
  readonly url: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads `Link` headers by the grammar: commas and semicolons may stand inside the URL and inside quoted values, so a
 * split would tear them apart. What follows a fault in one header is dropped.
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 * @example parseLinks(['</v2/a/tags/list?n=2&last=b>; rel="next"'])[0].url // "/v2/a/tags/list?n=2&last=b"
 */
export const parseLinks = (values: readonly string[]): Link[] => values.flatMap(parseLink);

/** The link with this relation; one link may have several, apart by white space, in any case. */
export const linkTo = (relation: string, values: readonly string[]): string | undefined =>
  parseLinks(values).find(({ parameters }) =>
    (parameters.get("rel") ?? "").toLowerCase().split(/\s+/).includes(relation),
  )?.url;

const target = /[\s,]*<([^>]*)>/y;
const parameter = /\s*;\s*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?)?/y;

const parseLink = (value: string): Link[] => {
  const links: Link[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(value);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (let found = next(target); found !== null; found = next(target)) {
    const parameters = new Map<string, string>();
    for (let match = next(parameter); match !== null; match = next(parameter)) {
      const [, name, quoted, token] = match;
      const key = name?.toLowerCase();
      if (key !== undefined && !parameters.has(key))
        parameters.set(key, quoted?.replace(/\\(.)/g, "$1") ?? token ?? "");
    }
    links.push({ url: (found[1] as string).trim(), parameters });
  }
  return links;
};

/**
 * The items of pages, one by one. What lies in memory already is handed out without a turn through a generator: a list of
 * a hundred thousand names would spend more time there than on the network.
 */
export const each = <T>(pages: AsyncGenerator<readonly T[]>): AsyncIterableIterator<T> => {
  let page: readonly T[] = [];
  let at = 0;
  const turn = async (): Promise<IteratorResult<T>> => {
    while (at >= page.length) {
      const next = await pages.next();
      if (next.done === true) return { done: true, value: undefined };
      page = next.value;
      at = 0;
    }
    return { done: false, value: page[at++] as T };
  };
  return {
    next: () => (at < page.length ? Promise.resolve({ done: false, value: page[at++] as T }) : turn()),
    return: async () => {
      page = [];
      await pages.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
};
