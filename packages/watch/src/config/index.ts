/**
 * What a service of a watch is told: the keys of `watch.yml`, and settings made of them. Imports events, sinks and webhooks for their settings; starts nothing.
 */
export { table as watchKeys } from "./keys.ts";
export {
  defaultDatabase,
  loadWatchSettings,
  type Selection,
  type SinkEntry,
  selects,
  type WatchSettings,
} from "./settings.ts";
