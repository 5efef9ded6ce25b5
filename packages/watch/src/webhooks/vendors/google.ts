import { parseReference } from "dray/oci";
import { textAt, timeAt } from "../json.ts";
import { pushOf, type Vendor } from "./vendor.ts";

/** Artifact Registry by a push subscription of Pub/Sub. @see https://docs.cloud.google.com/artifact-registry/docs/configure-notifications */
export const google: Vendor = {
  proof: "google",
  read: (json) => {
    const data = textAt(json, "message", "data");
    if (data === undefined) return undefined;
    let said: unknown;
    try {
      said = JSON.parse(Buffer.from(data, "base64").toString("utf8"));
    } catch {
      return undefined;
    }
    const action = textAt(said, "action");
    const image = textAt(said, "tag") ?? textAt(said, "digest");
    if (action === undefined || image === undefined) return undefined;
    const { registry, repository, tag, digest } = parseReference(image);
    const named = textAt(said, "digest")?.split("@")[1] ?? digest;
    return {
      id: textAt(json, "message", "messageId"),
      time: timeAt(json, "message", "publishTime"),
      pushes: [
        pushOf(registry, repository, {
          tag: tag,
          digest: named,
          action: action === "DELETE" ? "delete" : "push",
        }),
      ],
    };
  },
};
