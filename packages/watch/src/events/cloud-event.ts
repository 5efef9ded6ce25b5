import type { Digest } from "dray/oci";
import { type EventType, subjectOf, type WatchEvent } from "./event.ts";

/** An event in the JSON format of CloudEvents 1.0. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: `dray.watch.${EventType}`;
  /** `docker.io/library/alpine:3.22` */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly data: {
    readonly repository: string;
    readonly tag: string;
    readonly digest?: Digest;
    readonly previous?: Digest;
  };
}

/** Media types of one event and of several. */
export const cloudEventType = "application/cloudevents+json";
export const cloudEventsType = "application/cloudevents-batch+json";

/** Who tells, where nobody says otherwise. */
export const defaultSource: string = "/dray/watch";

/**
 * An event as a CloudEvent. Source and id together name it for ever.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const cloudEventOf = (event: WatchEvent, source: string = defaultSource): CloudEvent => {
  const { id, type, time, repository, tag, digest, previous } = event;
  return {
    specversion: "1.0",
    id,
    source,
    type: `dray.watch.${type}`,
    subject: subjectOf(event),
    time,
    datacontenttype: "application/json",
    data: {
      repository,
      tag,
      ...(digest === undefined ? {} : { digest }),
      ...(previous === undefined ? {} : { previous }),
    },
  };
};
