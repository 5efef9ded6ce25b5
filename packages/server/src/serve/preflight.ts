import { totalmem } from "node:os";
import { dirname } from "node:path";
import type { Origin } from "@dray/service/config";
import { reasonOf } from "dray/errors";
import { errnoOf } from "dray/internal/files";
import type { UsableSettings } from "../config/index.ts";
import { filesystemDriver } from "../storage/index.ts";
import { running } from "./control-socket.ts";
import { couldWrite, isThere } from "./could-write.ts";
import { holdsNoFiles, sizeAt } from "./file-systems.ts";
import type { Findings, Tell } from "./findings.ts";
import { accessOf, refuseForeignIndex } from "./open-registry.ts";
import { lookAtListening } from "./preflight-listening.ts";

/**
 * What on this machine would keep a registry with these settings from starting, or from doing all that they say: files, folders,
 * sockets, ports, certificates, keys, users. Everything at once; nothing is made and nothing changed.
 */
export const preflight = async (settings: UsableSettings, now: number = Date.now()): Promise<Findings> => {
  const findings: Findings = { complaints: [], warnings: [] };
  const originOf = (key: string): Origin =>
    settings.effective.find((each) => each.key === key)?.origin ?? { kind: "default" };
  const tell: Tell = (kind, key, error) => {
    const message = reasonOf(error);
    findings[kind].push({ key, origin: originOf(key), message });
  };
  await lookAtStorage(settings, tell);
  await lookAtAccess(settings, tell);
  await lookAtListening(settings, tell, now);
  await lookAtLogs(settings, tell);
  return findings;
};

const lookAtStorage = async ({ storage, registry = {} }: UsableSettings, tell: Tell): Promise<void> => {
  const { memory = 0 } = registry;
  if (memory >= totalmem()) tell("warnings", "dray.memory", "is as much as this machine has in all; write less");
  if (storage?.driver !== "filesystem") return;
  const key = "storage.filesystem.rootdirectory";
  const driver = await filesystemDriver(storage.root, { readOnly: true }).catch((error: unknown) => {
    tell("complaints", key, error);
  });
  try {
    if (driver === undefined) return;
    if (registry.readOnly !== true) await driver.volume.look();
    const nothing = await holdsNoFiles(storage.root);
    if (nothing !== undefined) tell("complaints", key, nothing);
    // Where the folder is to be made, its size is that of the disk above it.
    const total = await sizeAt(dirname(driver.volume.own));
    if (nothing === undefined && registry.freeSpace !== undefined && registry.freeSpace >= total)
      tell("warnings", "dray.freespace", "is as much as the whole disk has: nothing could ever be pushed; write less");
  } catch (error) {
    const isRead = errnoOf((error as Error).cause) === "EROFS" && (await isThere(storage.root));
    tell(isRead ? "warnings" : "complaints", key, error);
  } finally {
    await driver?.close();
  }
  try {
    if ((await running({ storage, registry })) !== undefined)
      tell("warnings", key, "a registry serves this folder now; a second one that writes to it does not start");
  } catch (error) {
    tell("warnings", key, error);
  }
  try {
    refuseForeignIndex({ storage });
  } catch (error) {
    tell("complaints", "dray.index", error);
    return;
  }
  if (storage.index !== undefined)
    await couldWrite(storage.index).catch((error: unknown) => tell("warnings", "dray.index", error));
};

const lookAtAccess = async ({ access }: UsableSettings, tell: Tell): Promise<void> => {
  for (const [key, part] of access)
    try {
      const opened = await accessOf(part, ({ message }) => tell("warnings", key, message));
      await opened.close?.();
    } catch (error) {
      tell("complaints", key, error);
    }
};

const lookAtLogs = async ({ logs }: UsableSettings, tell: Tell): Promise<void> => {
  for (const [key, to] of logs)
    if (to !== "stdout" && to !== "stderr")
      try {
        await couldWrite(to);
        if (!(await isThere(dirname(to))))
          tell("warnings", key, `there is no folder ${dirname(to)} yet; the start makes it, so see that it is meant`);
      } catch (error) {
        tell("complaints", key, error);
      }
};
