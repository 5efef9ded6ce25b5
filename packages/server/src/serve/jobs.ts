import type { Log } from "@dray/service/observe";
import { every } from "@dray/service/program";
import { isDrayError } from "dray/errors";
import type { Settings } from "../config/index.ts";
import type { Registry } from "../registry.ts";
import type { ControlActions } from "./controls.ts";

/** What is done in the background: garbage collection where it is wanted, and the removal of uploads that nobody goes on with. */
export const jobsOf = (
  { registry: { gc = {}, uploads = {} }, purging }: Settings,
  registry: Registry,
  actions: ControlActions,
  log: Log,
): { stop(): Promise<void> }[] => {
  const failed =
    (what: string) =>
    (error: unknown): void =>
      log("error", `${what}: ${error instanceof Error ? error.message : String(error)}`);
  const collect = async (signal: AbortSignal): Promise<void> => {
    const collected = await actions.gc({}, { tell: () => {}, signal }).catch((error: unknown) => {
      // The operator was first: then it is being done.
      if (isDrayError(error, "LOCKED")) return undefined;
      throw error;
    });
    if (collected === undefined) return;
    const { manifests, layers, blobs, bytes, notBefore } = collected;
    if (notBefore === undefined) log("info", "garbage was collected", { manifests, layers, blobs, bytes });
  };
  const { age = Number.POSITIVE_INFINITY } = uploads;
  const purge = async (): Promise<void> => {
    const gone = await registry.context.uploads.purge(Date.now() - age);
    if (gone > 0) log("info", "abandoned uploads were removed", { uploads: gone });
  };
  return [
    ...(gc.interval === undefined || gc.interval === 0
      ? []
      : [every(gc.interval, collect, failed("garbage collection"))]),
    ...(Number.isFinite(age) ? [every(purging.interval, purge, failed("removing abandoned uploads"))] : []),
  ];
};
