import type { RegistryAccess } from "./access.ts";

/** What kind of registry to be. Without options: everything the specification has, and open to all. */
export interface MemoryRegistryOptions {
  /** Who may do what. Default: anybody anything. */
  readonly access?: RegistryAccess;
  /** `false`: no referrers API (404) and no `OCI-Subject`, so that clients keep the fallback tag. Default `true`. */
  readonly referrers?: boolean;
  /** Referrers on a page at most. Default: all. */
  readonly referrersPageSize?: number;
  /** `false`: deleting anything answers 405. Default `true`. */
  readonly deletes?: boolean;
  /** `"named"`: mounts only where the request says from where. `false`: never; an upload begins instead. Default `true`. */
  readonly mounts?: boolean | "named";
  /** `false`: a PATCH answers 405. Default `true`. */
  readonly chunks?: boolean;
  /** `false`: the body of `POST ?digest=` is not taken; an upload begins instead, as with CNCF distribution. Default `true`. */
  readonly singlePost?: boolean;
  /** Bytes that every chunk but the last must have, announced by `OCI-Chunk-Min-Length`. Default: any. */
  readonly chunkMinLength?: number;
  /** `false`: an upload whose request was cut is gone, as with docker-registry. Default `true`: it keeps what came. */
  readonly keepsCutUploads?: boolean;
  /** `true`: `Location` of uploads is absolute. Default `false`: it begins with `/`. */
  readonly absoluteLocations?: boolean;
  /** `false`: HEAD of a manifest leaves `Docker-Content-Digest` out. Default `true`. */
  readonly headDigest?: boolean;
  /** `false`: `Range` is ignored, the whole blob comes with 200. Default `true`. */
  readonly ranges?: boolean;
  /** Names in a page of tags or repositories at most; larger requests are cut short with a `Link`. Default: all. */
  readonly pageSize?: number;
  /** A larger `n` is refused with 405, as ECR refuses more than 1000. Default: none is. */
  readonly largestPage?: number;
  /** `true`: `ETag`, `If-Match` and `If-None-Match` on manifests are honoured. Default `false`. */
  readonly conditional?: boolean;
  /** `true`: a manifest may be pushed before its children. Default `false`: MANIFEST_BLOB_UNKNOWN. */
  readonly sparse?: boolean;
  /** Bytes of the largest manifest that is taken. Default 4 MiB. */
  readonly largestManifest?: number;
  /** `true`: pushed blobs are hashed and dropped, so that gigabytes can be pushed. Default `false`. */
  readonly sink?: boolean;
  /** Milliseconds since 1970, for the log. */
  readonly now?: () => number;
}
