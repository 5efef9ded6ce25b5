/**
 * The store behind the distribution API: manifests, blobs, uploads that go on where they were cut, mounts, tags, the
 * catalog, referrers, deletion, and `connect`, which puts the HTTP pipeline together.
 * Imports `oci/`, `hash/`, `content/`, `files/`, `http/` and `auth/`; knows no layout, no archive, no image and no command.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */

export type { Conditions } from "./conditions.ts";
export { connect } from "./connect.ts";
export type { ConnectOptions, HostPurpose, MirrorsOptions } from "./connect-options.ts";
export type { Contents, ListedManifest } from "./contents.ts";
export type { DigestOptions } from "./digest.ts";
export type { IngestOptions } from "./ingest.ts";
export type { ReadManifest } from "./manifests.ts";
export {
  type ConfigDocument,
  dockerMirrors,
  type HostsToml,
  type HostsTomlOptions,
  hostsToml,
  type Mirror,
  type MirrorRule,
  type RegistriesConf,
  registriesConf,
} from "./mirrors/index.ts";
export type { ReferrersOptions } from "./referrers.ts";
export type { Registry, RegistryRequest } from "./registry.ts";
export type { Repository } from "./repository.ts";
export type { Listing, TagsOptions } from "./tags.ts";
