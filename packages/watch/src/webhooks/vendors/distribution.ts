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
    return {
      id: events.map((event) => textAt(event, "id") ?? "").join(","),
      time: latest(events.map((event) => timeAt(event, "timestamp"))),
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
  return host === undefined ? [] : [pushOf(`${host}/${repository}`, { tag, digest, action })];
};

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;

const latest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};
