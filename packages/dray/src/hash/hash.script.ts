import type { Script } from "../threads/index.ts";

/** What threads run that hash: from sources this file; the build puts text in the place of this module. */
export const hashScript = (): Script => new URL("./hash.worker.ts", import.meta.url);
