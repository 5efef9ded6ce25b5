import { at, listAt, textAt, timeAt } from "../json.ts";
import { pushOf, type Vendor } from "./vendor.ts";

const actions: Readonly<Record<string, "push" | "delete">> = {
  PUSH_ARTIFACT: "push",
  DELETE_ARTIFACT: "delete",
  "harbor.artifact.pushed": "push",
  "harbor.artifact.deleted": "delete",
};

/** Both of Harbor's formats, its own and CloudEvents. @see https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/ */
export const harbor: Vendor = {
  proof: "header",
  read: (json, { registry }) => {
    const type = textAt(json, "type");
    if (type === undefined) return undefined;
    const data = at(json, "event_data") ?? at(json, "data");
    const action = actions[type];
    const facts = { id: textAt(json, "id"), time: timeAt(json, "occur_at") ?? timeAt(json, "time") };
    if (action === undefined) return { ...facts, pushes: [] };
    const name = textAt(data, "repository", "repo_full_name");
    const pushes = listAt(data, "resources").flatMap((resource) => {
      const host = registry ?? textAt(resource, "resource_url")?.split("/")[0];
      if (host === undefined || name === undefined) return [];
      return [pushOf(host, name, { tag: textAt(resource, "tag"), digest: textAt(resource, "digest"), action })];
    });
    return { ...facts, pushes };
  },
};
