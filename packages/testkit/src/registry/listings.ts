import type { HttpResponse } from "dray/http";
import { refuse, respondJson } from "../respond.ts";
import type { Call } from "./call.ts";
import { sortedTags } from "./state.ts";

/** `GET …/tags/list` */
export const tags = (call: Call, repository: string): HttpResponse => {
  const held = call.state.repositories.get(repository);
  if (held === undefined) return refuse(call.request, 404, "NAME_UNKNOWN", `there is no repository ${repository}`);
  return page(call, sortedTags(held), `/v2/${repository}/tags/list`, (names) => ({ name: repository, tags: names }));
};

/** `GET /v2/_catalog` */
export const catalog = (call: Call): HttpResponse =>
  page(call, [...call.state.repositories.keys()].sort(), "/v2/_catalog", (names) => ({ repositories: names }));

/** A page of sorted names by `n` and `last`, with a `Link` to the next where there is more. */
const page = (
  { request, query, options }: Call,
  names: readonly string[],
  path: string,
  body: (names: readonly string[]) => unknown,
): HttpResponse => {
  const text = query.get("n");
  const n = text === null ? undefined : Number(text);
  if (n !== undefined && !(Number.isInteger(n) && n >= 0))
    return refuse(request, 400, "UNSUPPORTED", `n=${text} is no number of names`);
  if (n !== undefined && n > (options.largestPage ?? Number.POSITIVE_INFINITY))
    return refuse(request, 405, "UNSUPPORTED", `n may be ${options.largestPage} at most`);
  const size = Math.min(n ?? Number.POSITIVE_INFINITY, options.pageSize ?? Number.POSITIVE_INFINITY);
  const start = after(names, query.get("last"));
  const listed = names.slice(start, start + size);
  const last = listed.at(-1);
  const more = last !== undefined && start + listed.length < names.length;
  const link = `<${path}?n=${size}&last=${encodeURIComponent(last ?? "")}>; rel="next"`;
  return respondJson(request, 200, body(listed), more ? { Link: link } : {});
};

/** Where the names after `last` begin; `last` need not be one of them any more. */
const after = (names: readonly string[], last: string | null): number => {
  if (last === null) return 0;
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) <= last) low = middle + 1;
    else high = middle;
  }
  return low;
};
