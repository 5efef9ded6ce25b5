import { textAt, timeAt } from "../json.ts";
import { pushOf, type Vendor } from "./vendor.ts";

/** Docker Hub signs nothing: its secret is in the path. @see https://docs.docker.com/docker-hub/repos/manage/webhooks/ */
export const dockerHub: Vendor = {
  proof: "path",
  read: (json) => {
    const [repository, tag] = [textAt(json, "repository", "repo_name"), textAt(json, "push_data", "tag")];
    if (repository === undefined) return undefined;
    return { time: timeAt(json, "push_data", "pushed_at"), pushes: [pushOf("docker.io", repository, { tag })] };
  },
};
