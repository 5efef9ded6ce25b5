import type { Script } from "dray/internal/threads";

/** What threads run that read manifests: from sources this file; the build puts text in the place of this module. */
export const inspectScript = (): Script => new URL("./inspect.worker.ts", import.meta.url);
