import { withJson } from "@dray/service/response";
import type { HttpResponse } from "dray/http";
import { pages } from "../metadata/index.ts";
import type { Call } from "./call.ts";
import { linkTo, pageSize } from "./pages.ts";

/** `GET /v2/_catalog`: the repositories that whoever asks may read. */
export const catalog = async (call: Call): Promise<HttpResponse> => {
  const { query, principal, context } = call;
  const limit = pageSize(call, context.settings.pages.catalog);
  const names: string[] = [];
  let more = false;
  if (limit > 0)
    for await (const name of repositories(call, query.get("last") ?? "", limit + 1)) {
      if (!principal.may(name, "pull")) continue;
      if (names.length === limit) {
        more = true;
        break;
      }
      names.push(name);
    }
  const link = more ? [linkTo(call, "/v2/_catalog", { n: String(limit), last: names.at(-1) ?? "" })] : [];
  return withJson(call.request, { repositories: names }, link);
};

/** From the tree until the metadata is whole; later what another program made comes with the next answer but one or two. */
async function* repositories({ context }: Call, last: string, step: number): AsyncGenerator<string> {
  if (!context.reconciler.isComplete) {
    for await (const name of context.tree.repositories(last)) yield name;
    return;
  }
  context.reconciler.discover();
  for (const names of pages(step, (page) => context.metadata.repositories(page), last)) yield* names;
}
