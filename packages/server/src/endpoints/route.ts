import { isRepository } from "dray/oci";

/** Where a request of the distribution API goes. `name`, `digest` and `session` are as they were written, unchecked. */
export type Route =
  | { readonly kind: "root" }
  | { readonly kind: "ping" }
  | { readonly kind: "catalog" }
  | { readonly kind: "extensions"; readonly repository?: string }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly name: string }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: string }
  | { readonly kind: "uploads"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly session: string }
  | { readonly kind: "referrers"; readonly repository: string; readonly digest: string }
  | { readonly kind: "invalid"; readonly name: string }
  | { readonly kind: "unknown" };

const unknown: Route = { kind: "unknown" };

/**
 * Reads a raw path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. A name is
 * compared as it was written: what is escaped in it is no part of any grammar, except the colon of a digest.
 */
export const routeOf = (path: string): Route => {
  if (!path.startsWith("/v2/")) return path === "/v2" ? { kind: "ping" } : path === "/" ? { kind: "root" } : unknown;
  const end = path.lastIndexOf("/");
  const last = path.slice(end + 1);
  const start = path.lastIndexOf("/", end - 1);
  const before = path.slice(start + 1, end);
  switch (before) {
    case "manifests":
      return inRepository(path, start, (repository) => ({ kind: "manifest", repository, name: unescaped(last) }));
    case "blobs":
      // Docker once pushed to `blobs/uploads`, without the slash at the end.
      return inRepository(path, start, (repository) =>
        last === "uploads" ? { kind: "uploads", repository } : { kind: "blob", repository, digest: unescaped(last) },
      );
    case "uploads": {
      const blobs = path.lastIndexOf("/", start - 1);
      if (path.slice(blobs + 1, start) !== "blobs") return unknown;
      return inRepository(path, blobs, (repository) =>
        last === "" ? { kind: "uploads", repository } : { kind: "upload", repository, session: last },
      );
    }
    case "referrers":
      return inRepository(path, start, (repository) => ({ kind: "referrers", repository, digest: unescaped(last) }));
    case "tags":
      return last === "list" ? inRepository(path, start, (repository) => ({ kind: "tags", repository })) : unknown;
    case "v2":
      // Deeper down it is a word like any other.
      if (start !== 0) return unknown;
      return last === "" ? { kind: "ping" } : last === "_catalog" ? { kind: "catalog" } : unknown;
    case "ext":
      if (last !== "discover") return unknown;
      if (path === "/v2/_oci/ext/discover") return { kind: "extensions" };
      return path.endsWith("/_oci/ext/discover")
        ? inRepository(path, path.length - "/_oci/ext/discover".length, (repository) => ({
            kind: "extensions",
            repository,
          }))
        : unknown;
    default:
      return unknown;
  }
};

const inRepository = (path: string, end: number, route: (repository: string) => Route): Route => {
  const repository = path.slice("/v2/".length, end);
  return isRepository(repository) && repository.length <= 255
    ? route(repository)
    : { kind: "invalid", name: repository };
};

/** Some clients escape the colon of a digest. */
const unescaped = (text: string): string => (text.includes("%3") ? text.replace(/%3a/gi, ":") : text);
