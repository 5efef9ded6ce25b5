import type { ControlServer } from "@dray/service/control";
import type { Log } from "@dray/service/observe";
import { every } from "@dray/service/program";
import { isDrayError, reasonOf } from "dray/errors";
import type { Volume } from "../storage/index.ts";
import type { ReadOnly } from "./read-only.ts";

/** Milliseconds between two looks. */
const between = 2_000;

/**
 * Looks again and again whether the volume is still there, and this registry's own, and makes again what somebody removed: the lock, the folder for
 * unfinished files, the control socket. Where another process has the volume, this one stops writing.
 */
export const keeping = (
  volume: Volume,
  control: ControlServer | undefined,
  readOnly: Pick<ReadOnly, "lost">,
  log: Log,
  interval: number = between,
): { stop(): Promise<void> } => {
  let said = "";
  return every(
    interval,
    async () => {
      try {
        await volume.keep();
      } catch (error) {
        if (!isDrayError(error, "LOCKED")) throw error;
        await readOnly.lost(error.message);
      }
      await control?.keep();
      if (said !== "") log("info", `what was wrong with the volume ${volume.folder} is over`);
      said = "";
    },
    (error) => {
      const message = reasonOf(error);
      if (message !== said) log("error", message);
      said = message;
    },
  );
};
