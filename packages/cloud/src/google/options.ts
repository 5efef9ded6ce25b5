import type { CloudOptions } from "../asking/index.ts";

/** How Google is asked. */
export interface GoogleOptions extends CloudOptions {
  /** File of a service account's key, or of another credential of Google's. Default: `GOOGLE_APPLICATION_CREDENTIALS`, then what is usual. */
  readonly keyFile?: string | undefined;
}
