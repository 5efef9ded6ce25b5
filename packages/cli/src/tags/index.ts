/** Tags chosen and put in order: by version, by nature, by the time of their images. Imports the library; knows no command. */
export { tagFilter } from "./choose.ts";
export { creationTimes } from "./created.ts";
export {
  type CreatedTag,
  firstOf,
  newestCreated,
  newestNaturally,
  newestVersion,
  type TagOrder,
  tagOrders,
  versionedTag,
} from "./order.ts";
