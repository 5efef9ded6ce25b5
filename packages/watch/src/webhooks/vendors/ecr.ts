import { textAt, timeAt } from "../json.ts";
import { pushOf, type Vendor } from "./vendor.ts";

/** Amazon's EventBridge, by an API destination. @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html */
export const ecr: Vendor = {
  proof: "header",
  read: (json, { registry }) => {
    if (textAt(json, "source") !== "aws.ecr") return undefined;
    const facts = { id: textAt(json, "id"), time: timeAt(json, "time") };
    const [account, region] = [textAt(json, "account"), textAt(json, "region")];
    const repository = textAt(json, "detail", "repository-name");
    const action = textAt(json, "detail", "action-type");
    const isChange =
      textAt(json, "detail-type") === "ECR Image Action" && textAt(json, "detail", "result") === "SUCCESS";
    if (!isChange || (action !== "PUSH" && action !== "DELETE")) return { ...facts, pushes: [] };
    if (repository === undefined || account === undefined || region === undefined) return undefined;
    const host = registry ?? `${account}.dkr.ecr.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
    const [tag, digest] = [textAt(json, "detail", "image-tag"), textAt(json, "detail", "image-digest")];
    return {
      ...facts,
      pushes: [pushOf(host, repository, { tag, digest, action: action === "PUSH" ? "push" : "delete" })],
    };
  },
};
