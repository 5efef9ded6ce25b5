/** The reader of eStargz's authors as a program. */
import { fileURLToPath } from "node:url";
import { goProgram } from "../go-program.ts";

/** Its path; `undefined` where it is not to be had here, which is said. */
export const estargzJudge = (): Promise<string | undefined> =>
  goProgram("estargz-judge", fileURLToPath(new URL(".", import.meta.url)));
