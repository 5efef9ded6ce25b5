/** What the images behind tags say, and how tags are listed. Imports the library; knows no command. */
export { creationTimes } from "./created.ts";
export { type TagOrder, tagOrders } from "./orders.ts";
