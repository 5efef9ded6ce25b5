import type { Environment } from "./environment.ts";

/** The variable that crane had for it: new layers become eStargz, of which single files can be read. */
export const wantsEstargz = (env: Environment): boolean => env["GGCR_EXPERIMENT_ESTARGZ"] === "1";
