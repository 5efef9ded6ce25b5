/** What the images behind tags say, and how tags are listed. Imports the library; knows no command. */
export { isBroken } from "./broken.ts";
export { createdIn, creationTimes } from "./created.ts";
export { type Look, lookInto } from "./look.ts";
export { type TagOrder, tagOrders } from "./orders.ts";
