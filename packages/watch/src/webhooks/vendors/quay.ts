import { at, listAt, textAt } from "../json.ts";
import { pushOf, type Vendor } from "./vendor.ts";

/** Quay signs nothing: its secret is in the path. @see https://docs.quay.io/guides/notifications.html */
export const quay: Vendor = {
  proof: "path",
  read: (json, { registry }) => {
    const name = textAt(json, "repository");
    const [, host, path] = /^([^/]+)\/(.+)$/.exec(textAt(json, "docker_url") ?? "") ?? [];
    const [server, repository] = registry !== undefined && name !== undefined ? [registry, name] : [host, path];
    if (server === undefined || repository === undefined) return undefined;
    // Older ones say a map from tags to images.
    const said = at(json, "updated_tags");
    const map = typeof said === "object" && said !== null && !Array.isArray(said) ? Object.keys(said) : [];
    const tags = [...map, ...listAt(json, "updated_tags").filter((tag) => typeof tag === "string")];
    return {
      alike: true,
      pushes: (tags.length === 0 ? [undefined] : tags).map((tag) => pushOf(server, repository, { tag })),
    };
  },
};
