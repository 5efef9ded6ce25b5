import type { Digest } from "dray/oci";
import { eventOf, type Happening, type WatchEvent } from "./event.ts";

/** What is known of the tags of a repository at one look: each with what it names, or `undefined` where that is not known. */
export type SeenTags = ReadonlyMap<string, Digest | undefined>;

/** Two looks at one repository. */
export interface Looks {
  /** The earlier one; `undefined` where this is the first, which is silent. */
  readonly before: SeenTags | undefined;
  readonly after: SeenTags;
  /** Whether `after` is all there is: of an unfinished list nothing is said to be gone. */
  readonly complete: boolean;
  readonly repository: string;
  /** When `after` was seen: RFC 3339, UTC. */
  readonly time: string;
}

/**
 * What happened between two looks, by tag, in the order of the later one, with what is gone at the end. A tag whose digest is not known on either side has not moved.
 * @example difference({ before: new Map(), after: new Map([["1.0", digest]]), complete: true, repository, time }) // one tag.added
 */
export const difference = ({ before, after, complete, repository, time }: Looks): WatchEvent[] => {
  if (before === undefined) return [];
  const happenings: Happening[] = [];
  for (const [tag, digest] of after) {
    const previous = before.get(tag);
    const named = digest === undefined ? {} : { digest };
    if (!before.has(tag)) happenings.push({ type: "tag.added", repository, tag, ...named, time });
    else if (previous !== undefined && digest !== undefined && previous !== digest)
      happenings.push({ type: "tag.moved", repository, tag, digest, previous, time });
  }
  if (complete)
    for (const [tag, previous] of before)
      if (!after.has(tag))
        happenings.push({
          type: "tag.removed",
          repository,
          tag,
          ...(previous === undefined ? {} : { previous }),
          time,
        });
  return happenings.map(eventOf);
};
