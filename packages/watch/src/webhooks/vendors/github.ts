import { header } from "dray/http";
import { at, textAt } from "../json.ts";
import { pushOf, type Vendor } from "./vendor.ts";

/**
 * Events `registry_package` and `package` of GitHub, whose body is signed.
 * @see https://docs.github.com/webhooks/webhook-events-and-payloads#registry_package
 */
export const github: Vendor = {
  proof: "signature",
  read: (json, { headers, registry = "ghcr.io" }) => {
    const event = header(headers, "x-github-event");
    const id = header(headers, "x-github-delivery");
    if (event !== "registry_package" && event !== "package")
      return event === undefined ? undefined : { id, pushes: [] };
    const found = at(json, event);
    const [name, version] = [textAt(found, "name"), at(found, "package_version")];
    if (name === undefined) return undefined;
    const type = (textAt(found, "package_type") ?? textAt(found, "ecosystem") ?? "").toLowerCase();
    if (type !== "container" && type !== "docker") return { id, pushes: [] };
    const owner = textAt(found, "namespace") ?? textAt(found, "owner", "login");
    if (owner === undefined) return undefined;
    const tag = textAt(version, "container_metadata", "tag", "name");
    const digest = textAt(version, "container_metadata", "tag", "digest") ?? textAt(version, "version");
    // Names of owners may have capitals, those of images may not.
    return { id, pushes: [pushOf(registry, `${owner}/${name}`.toLowerCase(), { tag, digest })] };
  },
};
