import type { Script } from "../threads/index.ts";

/** What threads run that read layers: from sources this file; the build puts text in the place of this module. */
export const layerScript = (): Script => new URL("./layer.worker.ts", import.meta.url);
