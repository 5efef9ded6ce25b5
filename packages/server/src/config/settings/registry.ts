import type { ConfigContext } from "@dray/service/config";
import { defined } from "dray/internal/defined";
import type { CompleteIndexes } from "../../options.ts";
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

export const registryOf = (context: ConfigContext): Settings["registry"] => {
  const { values } = context;
  const host = values.maybe<string>("http.host");
  const prefix = values.maybe<string>("http.prefix")?.replace(/\/+$/, "");
  const untagged = values.maybe<number>("dray.retention.untagged");
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
    locations: defined<Locations>({
      relative: values.truth("http.relativeurls"),
      host: host?.replace(/\/+$/, ""),
      prefix: prefix === "" ? undefined : prefix,
    }),
    recheckAfter: values.number("dray.recheck"),
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
