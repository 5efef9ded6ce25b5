import {
  choice,
  count,
  duration,
  type KeyTable,
  keyTable,
  listOf,
  path,
  positive,
  supported,
  text,
} from "@dray/service/config";
import { percent, policies, sinks, webhooks } from "./parts.ts";
import { secret } from "./secret.ts";

const hour = 3_600_000;
const least = (value: number, written: string) => ({
  check: (said: number) => (said < value ? `is too small; at least ${written}` : undefined),
});

/** Every key of `watch.yml`. */
export const table: KeyTable = keyTable(
  [
    supported("db", path, "the file of the watch; `dray watch` commands use the same", {
      fallbackText: "`dray/watch.db` in `$XDG_STATE_HOME`",
    }),
    supported(
      "repositories",
      listOf(text),
      "repositories that are watched, besides those that are known already: `alpine`, `ghcr.io/team/app`",
      {
        reloadable: true,
      },
    ),
    supported(
      "include",
      listOf(text),
      "globs of repositories that are watched, by their canonical names: `docker.io/library/*`; all where there are none",
      {
        reloadable: true,
      },
    ),
    supported("exclude", listOf(text), "globs of repositories that are not watched; they win", { reloadable: true }),
    supported(
      "tags.include",
      listOf(text),
      "globs of tags that are looked into, or /expressions/; all where there are none",
      {
        reloadable: true,
      },
    ),
    supported("tags.exclude", listOf(text), "globs of tags that are not looked into, or /expressions/; they win", {
      reloadable: true,
    }),
    supported(
      "tags.details",
      count,
      "of each repository, so many of the newest tags that are looked into have manifest and configuration read, each digest once for ever: platforms and dates come from there; 0 reads none",
      { fallback: 10, reloadable: true },
    ),
    supported(
      "policies",
      policies,
      "which tags are wanted, by name: each has `repositories` (globs) and a `policy` in Flux's words; the first that fits holds, and tags that it leaves out are not looked into",
      {
        reloadable: true,
      },
    ),
    supported(
      "schedule.cron",
      listOf(text),
      "when every repository is looked at, besides the looks that follow from how often its tags move: `0 */6 * * *`",
      {
        reloadable: true,
      },
    ),
    supported("schedule.timezone", text, "the time zone of it", { fallbackText: "the machine's", reloadable: true }),
    supported("schedule.jitter", duration, "over which the looks of one time are spread", {
      fallback: 300_000,
      reloadable: true,
    }),
    supported("interval.least", duration, "between two looks at what moves often", {
      fallback: 300_000,
      ...least(1000, "1s"),
    }),
    supported("interval.most", duration, "between two looks at what never moves", {
      fallback: 7 * 24 * hour,
      ...least(1000, "1s"),
    }),
    supported("http.addr", text, "where the API listens: host:port, :port for every interface, unix:path", {
      fallback: "127.0.0.1:8085",
    }),
    supported(
      "http.token",
      secret,
      "what callers of the API show as `Authorization: Bearer`, webhooks apart; needed where others than this machine can reach it: text, or {file: PATH}, or {variable: NAME}",
      {
        secret: true,
        reloadable: true,
      },
    ),
    supported("http.tls.certificate", path, "PEM file of the certificate; without one the API speaks plain HTTP"),
    supported("http.tls.key", path, "PEM file of its key"),
    supported("http.trustedproxies", listOf(text), "addresses and CIDRs of proxies whose word counts on who asks"),
    supported("webhooks", webhooks, "registries that tell of pushes, at `/v1/webhooks/NAME`", {
      secret: true,
      reloadable: true,
    }),
    supported("sinks", sinks, "places that hear of events, by name", { secret: true, reloadable: true }),
    supported("delivery.timeout", duration, "that one attempt at a sink may take", {
      fallback: 30_000,
      ...least(1000, "1s"),
    }),
    supported(
      "delivery.giveup",
      duration,
      "after which an event that a sink refused again and again is a dead letter",
      { fallback: 72 * hour },
    ),
    supported("retention.keep", duration, "for which an event is kept at least while no sink waits for it", {
      fallback: 720 * hour,
      reloadable: true,
    }),
    supported("retention.events", positive, "events that are kept at most", { fallback: 100_000, reloadable: true }),
    supported("source", text, "`source` of each CloudEvent", { fallback: "/dray/watch", reloadable: true }),
    supported("log.level", choice("error", "warn", "info", "debug"), "the least that is logged", {
      fallback: "info",
      reloadable: true,
    }),
    supported("log.format", choice("text", "json"), "how a line of the log looks", { fallback: "text" }),
    supported("registry.reserve", percent, "share of what a registry allows that is left to those who pull: `30%`", {
      fallback: 0,
    }),
    supported("registry.concurrency", count, "repositories of one registry that are looked at at the same time", {
      fallback: 4,
      ...least(1, "1"),
    }),
  ],
  {
    prefixes: { "": "DRAY_WATCH" },
    fileVariable: "DRAY_WATCH_CONFIG",
    flags: [
      { name: "--db", key: "db" },
      { name: "--listen", key: "http.addr" },
      { name: "--log-level", key: "log.level" },
    ],
    example: "schedule.cron='0 */6 * * *'",
    title: "Configuration of dray watch serve",
  },
);
