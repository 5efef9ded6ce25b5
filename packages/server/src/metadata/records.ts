import type { Digest } from "dray/oci";
import type { Described } from "../distribution-tree/index.ts";
import type { FileVersion } from "../storage/index.ts";

/** A manifest as the metadata keeps it. */
export interface ManifestRecord extends Described {
  readonly digest: Digest;
  /** Bytes of the manifest itself. */
  readonly size: number;
  /** When it was pushed; milliseconds since 1970. */
  readonly pushedAt: number;
}

/** What a list of referrers says of one: neither its children nor anything else that takes time. */
export type Referrer = Pick<ManifestRecord, "digest" | "mediaType" | "size" | "artifactType" | "annotations">;

export interface TagRecord {
  readonly name: string;
  readonly digest: Digest;
  /** When it was last set; milliseconds since 1970. */
  readonly at: number;
  /** The state of the link that was read, where it was looked at: an unchanged one need not be read again. */
  readonly version?: FileVersion;
}

export interface Page {
  /** Only what comes behind this, in byte order. */
  readonly after?: string;
  readonly limit: number;
}

export interface Difference {
  readonly repository: string;
  readonly kind: "tag" | "manifest" | "repository";
  readonly name: string;
  /** `missing`: the tree has it, the metadata does not; `extra`: the other way round; `different`: both, unlike. */
  readonly what: "missing" | "extra" | "different";
}
