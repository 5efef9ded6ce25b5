import { header } from "dray/http";
import { textAt, timeAt } from "../json.ts";
import { distribution } from "./distribution.ts";
import { pushOf, type Vendor } from "./vendor.ts";

/**
 * GitLab's registry sends distribution's envelope; a project's own webhooks know no images, but a pipeline that succeeded may have pushed
 * some, anywhere below the project.
 * @see https://docs.gitlab.com/user/project/integrations/webhook_events/#pipeline-events
 */
export const gitlab: Vendor = {
  proof: "header",
  header: "X-Gitlab-Token",
  read: (json, reading) => {
    const envelope = distribution.read(json, reading);
    if (envelope !== undefined) return envelope;
    const [kind, project] = [textAt(json, "object_kind"), textAt(json, "project", "path_with_namespace")];
    if (kind === undefined || project === undefined) return undefined;
    const id = header(reading.headers, "x-gitlab-event-uuid");
    if (kind !== "pipeline" || textAt(json, "object_attributes", "status") !== "success") return { id, pushes: [] };
    const site = textAt(json, "project", "web_url");
    const host =
      reading.registry ?? (site !== undefined && URL.canParse(site) ? `registry.${new URL(site).hostname}` : undefined);
    if (host === undefined) return undefined;
    const time = timeAt(json, "object_attributes", "finished_at");
    return { id, time, pushes: [pushOf(host, project.toLowerCase(), { below: true })] };
  },
};
