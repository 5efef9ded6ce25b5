/**
 * What has happened to tags, and who is still to hear of it: the difference of two looks, a log of events and a queue of deliveries, in tables of the
 * file. Imports `file/` and the library; knows no registry, and no sink but as something that takes events.
 */
export { type CloudEvent, cloudEventOf, cloudEventsType, cloudEventType, defaultSource } from "./cloud-event.ts";
export {
  Deliveries,
  type Delivery,
  type DeliveryQuery,
  type DeliveryState,
  deliveryStates,
  type Subscriber,
} from "./deliveries.ts";
export { type Attempt, Delivering, type DeliveringOptions, type Subscription } from "./delivering.ts";
export { difference, type Looks, type SeenTags } from "./difference.ts";
export { type EventType, eventOf, eventTypes, type Happening, subjectOf, type WatchEvent } from "./event.ts";
export { EventLog, type EventQuery } from "./event-log.ts";
export { type QuietHours, quietUntil } from "./quiet-hours.ts";
export { type Pruned, prune, type Retention } from "./retention.ts";
export type { Refusal, Sink } from "./sink.ts";
export { eventTables } from "./tables.ts";
