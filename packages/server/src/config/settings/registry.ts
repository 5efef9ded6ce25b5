import type { ConfigContext } from "@dray/service/config";
import { defined } from "dray/internal/defined";
import type { CompleteIndexes } from "../../blobs/index.ts";
import type { LogSettings, Settings } from "./types.ts";

type Locations = NonNullable<Settings["registry"]["locations"]>;
type Collection = NonNullable<Settings["registry"]["gc"]>;

/** Where `validation` is off distribution asks for no manifest of an index, and for the blobs of images all the same. */
const completeIndexesOf = ({ values }: ConfigContext): CompleteIndexes => {
  if (values.maybe<boolean>("validation.enabled") !== true && values.truth("validation.disabled")) return "none";
  const platforms = values.text("validation.manifests.indexes.platforms") as "all" | "none" | "list";
  if (platforms !== "list") return platforms;
  return values.maybe<Exclude<CompleteIndexes, string>>("validation.manifests.indexes.platformlist") ?? [];
};

/** How the places of what was pushed begin. Where nothing tells how clients reach the registry, only a relative one is right for all. */
const locationsOf = ({ values, warn }: ConfigContext): Locations => {
  const said = values.maybe<string>("http.host");
  const host = said?.includes("://") === true ? said.replace(/\/+$/, "") : undefined;
  if (said !== undefined && host === undefined)
    warn("http.host", `has no effect without its scheme, in distribution as here; write https://${said}`);
  const relative = values.truth("http.relativeurls");
  const known = host !== undefined || values.list("dray.trustedproxies").length > 0;
  if (!relative && !known)
    warn(
      "http.relativeurls",
      "has no effect: nothing tells how clients reach the registry, so Location stays relative; name that in http.host, or the proxy in front in dray.trustedproxies",
    );
  const prefix = values.maybe<string>("http.prefix")?.replace(/\/+$/, "");
  return defined<Locations>({ relative: relative || !known, host, prefix: prefix === "" ? undefined : prefix });
};

/** Beside a registry that only reads another process may write: then it takes nothing to be as it was. */
const recheckAfterOf = ({ values }: ConfigContext): number =>
  values.truth("storage.maintenance.readonly.enabled") && !values.has("dray.recheck")
    ? 0
    : values.number("dray.recheck");

export const registryOf = (context: ConfigContext): Settings["registry"] => {
  const { values, warn } = context;
  const untagged = values.maybe<number>("dray.retention.untagged");
  if (untagged === 0)
    warn(
      "dray.retention.untagged",
      "0 lets manifests go as soon as their last tag has left; if they are meant to stay, leave the key out",
    );
  for (const key of ["tags.maxtags", "catalog.maxentries"])
    if (values.has(key) && values.number(key) <= 0)
      warn(key, "is taken as 1000, as in distribution; write how many entries a page may have, or remove the key");
  const interval = values.number("dray.gc.interval");
  // A dry run removes nothing.
  const purges =
    values.truth("storage.maintenance.uploadpurging.enabled") &&
    !values.truth("storage.maintenance.uploadpurging.dryrun");
  return {
    deletes: values.truth("storage.delete.enabled"),
    readOnly: values.truth("storage.maintenance.readonly.enabled"),
    largestManifest: values.number("dray.manifestsize"),
    sparseImages: values.truth("dray.validation.sparseimages"),
    completeIndexes: completeIndexesOf(context),
    pages: {
      // Zero is distribution's default, too, and below it for the catalog alone.
      tags: values.number("tags.maxtags") || 1000,
      catalog: values.number("catalog.maxentries") > 0 ? values.number("catalog.maxentries") : 1000,
      referrers: values.number("dray.referrers"),
    },
    locations: locationsOf(context),
    recheckAfter: recheckAfterOf(context),
    memory: values.number("dray.memory"),
    uploads: {
      age: purges ? values.number("storage.maintenance.uploadpurging.age") : Infinity,
      silence: values.number("dray.uploads.silence"),
    },
    gc: defined<Collection>({
      grace: values.number("dray.gc.grace"),
      lease: values.number("dray.gc.lease"),
      untagged,
      interval: interval === 0 ? undefined : interval,
    }),
    verify: { rate: values.number("dray.verify.rate"), interval: values.number("dray.verify.interval") },
    quotas: values.list("dray.quotas"),
    freeSpace: values.number("dray.freespace"),
  };
};

export const logOf = ({ values }: ConfigContext): LogSettings => {
  const format = values.text("log.formatter") as LogSettings["format"];
  const level = values.has("log.level") ? undefined : values.maybe<LogSettings["level"]>("loglevel");
  const audit = values.maybe<string>("dray.log.audit.to");
  return defined({
    level: level ?? (values.text("log.level") as LogSettings["level"]),
    format,
    fields: values.maybe<LogSettings["fields"]>("log.fields") ?? {},
    access: values.truth("log.accesslog.disabled")
      ? undefined
      : {
          format: values.maybe<LogSettings["format"]>("dray.log.access.format") ?? format,
          to: values.text("dray.log.access.to"),
        },
    audit: audit === undefined ? undefined : { to: audit },
  });
};
