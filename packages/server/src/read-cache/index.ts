/** What reading remembers: manifests and pages of lists, with a bound, and never what a write has overtaken. Knows no request. */
export {
  type ListPage,
  Lists,
  Manifests,
  type ManifestsOptions,
  type ServedManifest,
} from "./read-cache.ts";
