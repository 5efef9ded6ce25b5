import { collect } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type HttpResponse, headerValues } from "../http/index.ts";
import { type Digest, digestOf, isObject, parseJson } from "../oci/index.ts";
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
  const seen = new Set([digestOfText(call.target.slice(path.length))]);
  let empty = 0;
  const ends = (how: string): void =>
    (call.onEvent ?? api.settings.onEvent)?.({
      type: "warning",
      partial: true,
      message: `${api.registry} ${how} listing ${call.reference}; the list ends here`,
    });
  for (let response = first; ; ) {
    const page = { value: await jsonOf(api, call, response), response };
    yield page;
    const query = nextQuery(response);
    if (query === undefined) return isUnreadable(response) ? ends("sends a Link that makes no sense") : undefined;
    const key = digestOfText(query);
    if (seen.has(key)) return ends("goes round in circles");
    empty = isEmpty(page) ? empty + 1 : 0;
    if (empty >= mostEmpty) return ends(`sends ${empty} empty pages one after the other`);
    if (seen.size >= mostPages) return ends(`sends more than ${mostPages} pages`);
    seen.add(key);
    response = await api.ask({ ...call, target: path + query }, 200);
  }
}

/** Pages that hold nothing, one after the other, and pages in all: who sends more has no list that ends. */
const [mostEmpty, mostPages] = [100, 100_000];

/** A query may be long, and is kept to be known again. */
const digestOfText = (text: string): Digest => digestOf(new TextEncoder().encode(text));

const isUnreadable = ({ headers }: HttpResponse): boolean => {
  const values = headerValues(headers, "Link").filter((value) => value.trim() !== "");
  return values.length > 0 && parseLinks(values).length === 0;
};

const isEmpty = ({ value }: Page): boolean =>
  Object.values(value).every((member) => !Array.isArray(member) || member.length === 0);

/** The query of the next page. One link alone that does not say what it is leads on: what else would it be for. */
const nextQuery = (response: HttpResponse): string | undefined => {
  const values = headerValues(response.headers, "Link");
  const links = parseLinks(values);
  const [only] = links;
  const alone = links.length === 1 && only?.parameters.has("rel") === false ? only.url : undefined;
  const next = linkTo("next", values) ?? alone;
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
    const value = parseJson(bytes, `the list of ${reference}`);
    if (isObject(value)) return value;
    throw new DrayError("MANIFEST_INVALID", "no object");
  } catch (cause) {
    if (!isDrayError(cause, "MANIFEST_INVALID")) throw cause;
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
    (parameters.get("rel") ?? "").toLowerCase().replaceAll("'", "").split(/\s+/).includes(relation),
  )?.url;

/** Some leave out the brackets around the URL. */
const target = /[\s,]*(?:<([^>]*)>|([^\s,;<>]+)(?=\s*;\s*rel\b))/y;
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
    links.push({ url: (found[1] ?? found[2] ?? "").trim(), parameters });
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
