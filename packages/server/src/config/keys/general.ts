import {
  anything,
  type ConfigNode,
  choice,
  count,
  fields,
  ignored,
  isEmpty,
  isTrue,
  type Key,
  listOf,
  needless,
  refused,
  supported,
  text,
  truth,
} from "@dray/service/config";

/** Something in a list, or in the lists of a map, that nobody disabled. */
const enabled = (node: ConfigNode): boolean => {
  if (node.kind === "list") return node.items.some(enabled);
  if (node.kind !== "map") return !isEmpty(node);
  return !isTrue(node.entries.get("disabled")) && !isEmpty(node);
};
const anyEnabled = (node: ConfigNode): boolean =>
  node.kind === "map" ? node.entries.values().some(enabled) : enabled(node);

const page = { fallback: 1000 };

export const generalKeys: readonly Key[] = [
  supported("version", choice("0.1"), "the version of this format"),
  supported("log.level", choice("error", "warn", "info", "debug"), "what is worth a line", {
    fallback: "info",
    reloadable: true,
  }),
  supported(
    "loglevel",
    choice("error", "warn", "info", "debug"),
    "the old name of `log.level`; counts where that is absent",
    { reloadable: true },
  ),
  supported("log.formatter", choice("text", "json", "logstash"), "how lines of the log are written", {
    fallback: "text",
  }),
  supported("log.fields", fields, "words that every line of the log carries"),
  supported("log.accesslog.disabled", truth, "`true`: no line for each request", { fallback: false }),
  ignored("log.hooks", anything, "Dray sends no mail; watch its log or metrics instead", enabled),
  ignored("log.reportcaller", truth, "lines name no source of the program", isTrue),
  supported("catalog.maxentries", count, "repositories in a page of the catalog at most", page),
  supported("tags.maxtags", count, "tags in a page at most", {
    ...page,
    check: (value) => (value < 0 ? "is below zero; write how many tags a page may have" : undefined),
  }),
  supported("validation.enabled", truth, "an old form of `validation.disabled: false`", {
    fallbackText: "the opposite of `disabled`",
  }),
  supported("validation.disabled", truth, "`true`: nothing of the rest of `validation` counts", { fallback: false }),
  supported(
    "validation.manifests.indexes.platforms",
    choice("all", "none", "list"),
    "`all`: an index is taken once all of its manifests are there; `list`: those of the platforms in `platformlist`; `none`: always. distribution's default is `all`",
    { fallback: "none" },
  ),
  supported(
    "validation.manifests.indexes.platformlist",
    listOf(fields, ({ os, architecture }) =>
      os && architecture ? undefined : "names no os or no architecture; write {os: linux, architecture: amd64}",
    ),
    "platforms, each `{os: linux, architecture: amd64}`, whose manifests must be there where `platforms` is `list`; none: all must",
  ),
  refused(
    "validation.manifests.urls",
    anything,
    "Dray has no rules on the URLs in manifests and takes them all; remove the key if that will do",
  ),
  needless("health.storagedriver.enabled", truth, "storage is always watched: /readyz and /debug/health tell"),
  ignored(
    "health.storagedriver.interval",
    anything,
    "storage is looked at when somebody asks for its health, every 10 s at most",
  ),
  ignored(
    "health.storagedriver.threshold",
    anything,
    "the first failure counts",
    (node) => !(node.kind === "scalar" && node.text === "1"),
  ),
  ignored(
    "health.file",
    anything,
    "Dray watches no files; POST /debug/health/down at the debug address takes it out of service",
  ),
  ignored("health.http", anything, "Dray asks no other servers for its health"),
  ignored("health.tcp", anything, "Dray asks no other servers for its health"),
  refused(
    "proxy",
    anything,
    "Dray is no pull-through cache yet; keep the proxy on distribution, or remove the key to serve what is stored",
  ),
  refused(
    "notifications.endpoints",
    anything,
    "Dray sends no notifications yet; remove the endpoint, or set its disabled: true",
    enabled,
  ),
  needless("notifications.events", anything, "it is about endpoints, which there are none of"),
  refused("middleware", anything, "Dray has no middleware; remove the entry, or set its disabled: true", anyEnabled),
  refused(
    "redis",
    anything,
    "Dray needs no shared cache: one process serves a volume and keeps its own index; remove the key",
  ),
  refused("policy.repository.classes", anything, "Dray takes every class of content; remove the key if that will do"),
  ignored(
    "compatibility.schema1.enabled",
    truth,
    "manifests of schema 1 are served, signed, and not taken any more",
    isTrue,
  ),
  needless("compatibility.schema1.trustkey", text, "a key of its own signs manifests of schema 1"),
  ignored("reporting", anything, "Dray reports to nobody; its log and metrics tell the same"),
];
