/** Tags chosen and put in order: by version, by nature, by the time of their images. Imports the library; knows no command. */
export { tagFilter } from "./choose.ts";
export { creationTimes } from "./created.ts";
export * from "./order.ts";
