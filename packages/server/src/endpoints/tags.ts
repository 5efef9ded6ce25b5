import { withBytes } from "@dray/service/response";
import type { HttpResponse } from "dray/http";
import { encodeJson } from "dray/oci";
import { RegistryError } from "../registry-error.ts";
import type { Call } from "./call.ts";
import { linkTo, pageSize } from "./pages.ts";

/** `GET …/tags/list`: in byte order, `last` by value, so that it need not be there any more. */
export const tags = async (call: Call): Promise<HttpResponse> => {
  const { request, query, context, repository } = call;
  const limit = pageSize(call, context.settings.pages.tags);
  const after = query.get("last") ?? "";
  if (!(await context.reconciler.reconcile(repository)))
    throw new RegistryError(404, "NAME_UNKNOWN", `there is no repository ${repository}`, {
      detail: { name: repository },
    });
  const page = context.lists.page(repository, `tags\0${limit}\0${after}`, () => {
    // One more than is shown tells whether there are more.
    const found = limit === 0 ? [] : context.metadata.tags(repository, { after, limit: limit + 1 });
    const names = found.slice(0, limit).map(({ name }) => name);
    return {
      bytes: encodeJson({ name: repository, tags: names }),
      next: found.length > limit ? names.at(-1) : undefined,
    };
  });
  const link =
    page.next === undefined ? [] : [linkTo(call, `/v2/${repository}/tags/list`, { n: String(limit), last: page.next })];
  return withBytes(request, 200, [["Content-Type", "application/json"], ...link], page.bytes);
};
