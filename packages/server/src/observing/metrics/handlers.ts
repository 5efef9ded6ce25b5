import type { Route } from "../../endpoints/index.ts";

/** What distribution calls its handlers, in the `handler` of its metrics. `referrers` and `extensions` are ours; it has none. */
const handlers: Readonly<Record<Route["kind"], string | undefined>> = {
  ping: "base",
  catalog: "catalog",
  tags: "tags",
  manifest: "manifest",
  blob: "blob",
  uploads: "blob_upload",
  upload: "blob_upload_chunk",
  referrers: "referrers",
  extensions: "extensions",
  root: undefined,
  invalid: undefined,
  unknown: undefined,
};

/** The handler of a route; `undefined` for what distribution does not count, because it has no route for it. */
export const handlerOf = (route: Route): string | undefined => handlers[route.kind];
