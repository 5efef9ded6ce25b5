import { isRepository } from "dray/oci";

/** Where a request of the distribution API goes. `name` and `digest` are as they were written, unchecked. */
export type Route =
  | { readonly kind: "ping" }
  | { readonly kind: "catalog" }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly name: string }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: string }
  | { readonly kind: "uploads"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly session: string }
  | { readonly kind: "referrers"; readonly repository: string; readonly digest: string }
  | { readonly kind: "invalid"; readonly repository: string }
  | { readonly kind: "unknown" };

/** Reads a path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. */
export const routeOf = (path: string): Route => {
  if (path === "/v2" || path === "/v2/") return { kind: "ping" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  if (!path.startsWith("/v2/")) return { kind: "unknown" };
  const parts = path.slice("/v2/".length).split("/").map(decoded);
  const route = byTail(parts);
  return "repository" in route && !isRepository(route.repository)
    ? { kind: "invalid", repository: route.repository }
    : route;
};

const byTail = (parts: readonly string[]): Route => {
  const [third, second, last] = [parts.at(-3), parts.at(-2), parts.at(-1) ?? ""];
  const before = (count: number): string => parts.slice(0, -count).join("/");
  if (second === "tags" && last === "list") return { kind: "tags", repository: before(2) };
  if (second === "manifests") return { kind: "manifest", repository: before(2), name: last };
  if (second === "referrers") return { kind: "referrers", repository: before(2), digest: last };
  if (third === "blobs" && second === "uploads")
    return last === ""
      ? { kind: "uploads", repository: before(3) }
      : { kind: "upload", repository: before(3), session: last };
  if (second === "blobs" && last === "uploads") return { kind: "uploads", repository: before(2) };
  if (second === "blobs") return { kind: "blob", repository: before(2), digest: last };
  return { kind: "unknown" };
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};
