/** The orders in which tags are listed, newest first. */
export const tagOrders = ["semver", "natural", "created"] as const;
export type TagOrder = (typeof tagOrders)[number];
