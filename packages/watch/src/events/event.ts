import { createHash } from "node:crypto";
import type { Digest } from "dray/oci";

/** What can happen to a tag. */
export const eventTypes = ["tag.added", "tag.moved", "tag.removed"] as const;

/** What happened to a tag. */
export type EventType = (typeof eventTypes)[number];

/** One happening in a repository. The same happening never has a second id, however often it is told. */
export interface WatchEvent {
  /** 32 hexadecimal digits, for ever. */
  readonly id: string;
  readonly type: EventType;
  /** Canonical: `docker.io/library/alpine`. */
  readonly repository: string;
  readonly tag: string;
  /** What it names now. */
  readonly digest?: Digest;
  /** What it named before. */
  readonly previous?: Digest;
  /** When it was seen: RFC 3339, UTC. */
  readonly time: string;
}

/** A happening that has no id yet. */
export type Happening = Omit<WatchEvent, "id">;

/**
 * A happening with its id, which follows from what happened and when it was seen: whoever tells the same again tells it under the same id.
 * @example eventOf({ type: "tag.added", repository: "docker.io/library/alpine", tag: "3.22", digest, time: "2026-03-01T00:00:00.000Z" })
 */
export const eventOf = (happening: Happening): WatchEvent => {
  const { type, repository, tag, digest = "", previous = "", time } = happening;
  const said = [type, repository, tag, digest, previous, time].join("\n");
  return { id: createHash("sha256").update(said).digest("hex").slice(0, 32), ...happening };
};

/** The image that an event is about, for people: `docker.io/library/alpine:3.22`. */
export const subjectOf = ({ repository, tag }: Pick<WatchEvent, "repository" | "tag">): string =>
  `${repository}:${tag}`;
