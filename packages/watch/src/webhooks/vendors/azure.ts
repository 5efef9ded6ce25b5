import { textAt, timeAt } from "../json.ts";
import { pushesOf } from "./distribution.ts";
import type { Vendor } from "./vendor.ts";

/** @see https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference */
export const azure: Vendor = {
  proof: "header",
  read: (json, reading) => {
    if (textAt(json, "action") === undefined || textAt(json, "id") === undefined) return undefined;
    return { id: textAt(json, "id"), time: timeAt(json, "timestamp"), pushes: pushesOf(json, reading) };
  },
};
