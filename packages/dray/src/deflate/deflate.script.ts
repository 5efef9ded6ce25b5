import type { Script } from "../threads/index.ts";

/** What threads run that compress: from sources this file; the build puts text in the place of this module. */
export const deflateScript = (): Script => new URL("./deflate.worker.ts", import.meta.url);
