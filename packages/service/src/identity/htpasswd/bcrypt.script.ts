import type { Script } from "dray/internal/threads";

/** What threads run that verify passwords: from sources this file; the build puts text in the place of this module. */
export const bcryptScript = (): Script => new URL("./bcrypt.worker.ts", import.meta.url);
