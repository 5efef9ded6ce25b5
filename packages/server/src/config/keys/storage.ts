import {
  anything,
  count,
  duration,
  type Key,
  needless,
  path,
  refused,
  supported,
  text,
  truth,
} from "@dray/service/config";

const hour = 3_600_000;
const elsewhere = (what: string): string =>
  `Dray stores in a file system or in memory, not in ${what}; keep that registry on distribution, or copy its content and name storage.filesystem`;
/** Naming a driver is enough, even without options. */
const always = (): boolean => true;

export const storageKeys: readonly Key[] = [
  supported(
    "storage.filesystem.rootdirectory",
    path,
    "the folder of the registry's data; the tree in it is distribution's own",
    { fallback: "./data", fallbackWithFile: "/var/lib/registry" },
  ),
  needless("storage.filesystem.maxthreads", anything, "file operations are bounded anyway"),
  supported("storage.inmemory", anything, "keeps everything in memory, which is gone with the process"),
  refused("storage.s3", anything, elsewhere("S3"), always),
  refused("storage.s3aws", anything, elsewhere("S3"), always),
  refused("storage.azure", anything, elsewhere("Azure"), always),
  refused("storage.gcs", anything, elsewhere("Google Cloud Storage"), always),
  refused("storage.swift", anything, elsewhere("Swift"), always),
  refused("storage.oss", anything, elsewhere("OSS"), always),
  supported(
    "storage.delete.enabled",
    truth,
    "whether manifests, tags and blobs may be deleted; otherwise deleting answers 405",
    { fallback: true, fallbackWithFile: false },
  ),
  needless("storage.redirect.disable", truth, "blobs are always served by the registry itself"),
  needless("storage.cache.blobdescriptor", text, "Dray keeps its own index and memory"),
  needless("storage.cache.layerinfo", text, "an old name of storage.cache.blobdescriptor"),
  needless("storage.cache.blobdescriptorsize", anything, "the bound is dray.memory"),
  needless("storage.tag.concurrencylimit", count, "tags are looked up in the index"),
  supported(
    "storage.maintenance.uploadpurging.enabled",
    truth,
    "whether uploads that nobody goes on with are removed",
    { fallback: true },
  ),
  supported("storage.maintenance.uploadpurging.age", duration, "how long an upload may rest until it is removed", {
    fallback: 168 * hour,
    check: (value) =>
      value < 1
        ? "leaves no upload the time to go on; write how long one may rest, or uploadpurging.enabled: false"
        : undefined,
  }),
  supported("storage.maintenance.uploadpurging.interval", duration, "how often old uploads are looked for", {
    fallback: 24 * hour,
    check: (value) => (value < 1000 ? "is too often; at least 1s" : undefined),
  }),
  supported(
    "storage.maintenance.uploadpurging.dryrun",
    truth,
    "`true` is taken as `uploadpurging.enabled: false`; `dray serve gc --dry-run` tells what would be removed",
    { fallback: false },
  ),
  supported("storage.maintenance.readonly.enabled", truth, "`true`: what would change something is answered 405", {
    fallback: false,
    reloadable: true,
  }),
];
