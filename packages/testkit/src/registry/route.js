import { isRepository } from "dray/oci";
/** Path and query of a raw target, the query decoded. */
export const splitTarget = (target) => {
    const mark = target.indexOf("?");
    return mark < 0
        ? { path: target, query: new URLSearchParams() }
        : { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
};
/** Reads a path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. */
export const routeOf = (path) => {
    if (path === "/v2" || path === "/v2/")
        return { kind: "ping" };
    if (path === "/v2/_catalog")
        return { kind: "catalog" };
    if (!path.startsWith("/v2/"))
        return { kind: "unknown" };
    const parts = path.slice("/v2/".length).split("/").map(decoded);
    const route = byTail(parts);
    return "repository" in route && !isRepository(route.repository)
        ? { kind: "invalid", repository: route.repository }
        : route;
};
const byTail = (parts) => {
    const [third, second, last] = [parts.at(-3), parts.at(-2), parts.at(-1) ?? ""];
    const before = (count) => parts.slice(0, -count).join("/");
    if (second === "tags" && last === "list")
        return { kind: "tags", repository: before(2) };
    if (second === "manifests")
        return { kind: "manifest", repository: before(2), name: last };
    if (second === "referrers")
        return { kind: "referrers", repository: before(2), digest: last };
    if (third === "blobs" && second === "uploads")
        return last === ""
            ? { kind: "uploads", repository: before(3) }
            : { kind: "upload", repository: before(3), session: last };
    if (second === "blobs" && last === "uploads")
        return { kind: "uploads", repository: before(2) };
    if (second === "blobs")
        return { kind: "blob", repository: before(2), digest: last };
    return { kind: "unknown" };
};
const decoded = (part) => {
    try {
        return decodeURIComponent(part);
    }
    catch {
        return part;
    }
};
