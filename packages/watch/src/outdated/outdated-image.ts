import type { Step } from "@dray/policy";
import type { Digest } from "dray/oci";
import type { RunningImage } from "../running/index.ts";

/**
 * `outdated`: something newer is allowed. `current`: nothing is. `left-alone`: labels say so, and nobody was asked. `unknown`: it could not be found
 * out, and `reason` says why.
 */
export type ImageState = "outdated" | "current" | "left-alone" | "unknown";

/** What runs, as far as it is known. */
export interface RunsNow {
  /** Missing where a digest alone is said. */
  readonly tag?: string;
  /** What runs; where nobody says it, what the registry has under the tag. */
  readonly digest?: Digest;
  /** The version that has the same digest, where the tag itself is none, such as `latest`. */
  readonly meaning?: string;
}

/** The newest image that is allowed. */
export interface NewestImage {
  readonly tag: string;
  readonly digest: Digest;
  /** The version that has the same digest, where the tag itself is none. */
  readonly meaning?: string;
  /** When it was created, by what the image says. */
  readonly created?: Date;
}

/** What became of one image that runs. */
export interface OutdatedImage {
  readonly image: RunningImage;
  readonly state: ImageState;
  readonly running: RunsNow;
  /** Only where it is `outdated`. */
  readonly newest?: NewestImage;
  /** How far it is to `newest`: `digest` where the tag stays and names another image now. */
  readonly step?: Step;
  /** Only where it is `unknown`. */
  readonly reason?: string;
}
