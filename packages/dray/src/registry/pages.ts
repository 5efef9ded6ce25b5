import { collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type HttpResponse, headerValues } from "../http/index.ts";
import { isObject } from "../oci/index.ts";
import type { Api, Call } from "./api.ts";
import { linkTo } from "./link.ts";

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
    if (!(cause instanceof SyntaxError)) throw cause;
    const facts = { status, reference, registry: api.registry, cause };
    throw new DrayError("REGISTRY", `${api.registry} lists ${reference} with something that is no JSON object`, facts);
  } finally {
    await body.discard();
  }
};
