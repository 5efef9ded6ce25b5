import { listAt, textAt, timeAt } from "../json.ts";
import { pushOf, type Reading, type Vendor } from "./vendor.ts";

/**
 * The envelope of the CNCF's distribution, which GitLab's registry sends as well.
 * @see https://distribution.github.io/distribution/about/notifications/
 */
export const distribution: Vendor = {
  proof: "header",
  read: (json, reading) => {
    const events = listAt(json, "events");
    if (events.length === 0) return undefined;
    const id = idsOf(events);
    const time = latest(events.map((event) => timeAt(event, "timestamp")));
    return {
      id,
      time,
      alike: id === undefined && time === undefined,
      pushes: events.flatMap((event) => pushesOf(event, reading)),
    };
  },
};

/** What one event changes: a push without a tag is a part of something, a pull is nothing. Azure's are of the same form. */
export const pushesOf = (event: unknown, { registry }: Reading): ReturnType<typeof pushOf>[] => {
  const [action, repository] = [textAt(event, "action"), textAt(event, "target", "repository")];
  if (repository === undefined || (action !== "push" && action !== "delete")) return [];
  const [tag, digest] = [textAt(event, "target", "tag"), textAt(event, "target", "digest")];
  if (action === "push" && tag === undefined) return [];
  const host = registry ?? textAt(event, "request", "host") ?? hostOf(textAt(event, "target", "url"));
  if (host === undefined) return [];
  try {
    return [pushOf(host, repository, { tag, digest, action })];
  } catch {
    // The host is what whoever pushed has called it; others in the envelope are not to wait for this one, which would be sent again for ever.
    return [];
  }
};

/** Those of all events, or none: without, two envelopes are two. */
const idsOf = (events: readonly unknown[]): string | undefined => {
  const ids = events.map((event) => textAt(event, "id"));
  return ids.includes(undefined) ? undefined : ids.join(",");
};

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;

const latest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};
