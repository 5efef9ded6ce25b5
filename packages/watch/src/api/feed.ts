import type { Body } from "dray/content";
import type { Clock } from "dray/http";
import { cloudEventOf, type EventLog, type EventType } from "../events/index.ts";

/** Which events a listener wants, and from where on. */
export interface FeedQuery {
  readonly repository?: string | undefined;
  readonly type?: EventType | undefined;
  /** Id of the last event that he has; absent: what is to come. */
  readonly after?: string | undefined;
}

/** What is listened to. */
export interface FeedSource {
  readonly log: EventLog;
  readonly source: string;
  readonly clock: Clock;
  /** Aborted when the service ends: listeners come again and say where they were. */
  readonly ended: AbortSignal;
}

/** Milliseconds between two looks at the file, where another process may have appended, and between two signs of life. */
const [poll, alive] = [500, 15_000];

/**
 * Events as they happen, as server-sent events: each a CloudEvent under its own id, so that `Last-Event-ID` goes on after it. Of one that is no longer kept all that is
 * kept follows.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const feed = (
  { log, source, clock, ended }: FeedSource,
  query: FeedQuery,
  signal: AbortSignal | undefined,
): Body => {
  const { after, repository, type } = query;
  const filter = { ...(repository === undefined ? {} : { repository }), ...(type === undefined ? {} : { type }) };
  let cursor = after === undefined ? log.end : (log.cursorOf(after) ?? 0);
  const over = signal === undefined ? ended : AbortSignal.any([ended, signal]);
  const closed = new AbortController();
  const encoder = new TextEncoder();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    // Says at once that it is here.
    yield encoder.encode("retry: 2000\n\n");
    let said = clock.now();
    while (!over.aborted && !closed.signal.aborted) {
      const next = log.follow(cursor, filter);
      cursor = next.cursor;
      if (next.events.length > 0) {
        said = clock.now();
        const texts = next.events.map((event) => {
          const told = cloudEventOf(event, source);
          return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(told)}\n\n`;
        });
        yield encoder.encode(texts.join(""));
        continue;
      }
      if (clock.now() - said >= alive) {
        said = clock.now();
        yield encoder.encode(": still here\n\n");
      }
      await clock.sleep(poll, AbortSignal.any([over, closed.signal])).catch(() => {});
    }
  }
  return { length: undefined, chunks: chunks(), discard: async () => closed.abort() } as unknown as Body;
};
