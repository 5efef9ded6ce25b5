import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { type ControlServer, control, serveControl } from "@dray/service/control";
import type { Log } from "@dray/service/observe";
import { DrayError, isDrayError, reasonOf } from "dray/errors";
import { nodeFiles } from "dray/internal/files";
import type { Place, Settings } from "../config/index.ts";
import { ownFolder, type Volume } from "../storage/index.ts";
import { type ControlActions, type ControlClient, controls } from "./controls.ts";

/** Where a registry of a folder may be asked. */
interface Sockets {
  /** With the volume: the one that writes. */
  readonly beside: string;
  /** In `$XDG_RUNTIME_DIR`: one that only reads, or that can have no socket on its volume. */
  readonly apart: string | undefined;
}

const socketsOf = async (root: string): Promise<Sockets> => {
  const folder = resolve(root);
  const runtime = process.env["XDG_RUNTIME_DIR"];
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  return {
    beside: join(await ownFolder(nodeFiles, folder), "control.sock"),
    apart: runtime === undefined || runtime === "" ? undefined : join(runtime, "dray", name, "control.sock"),
  };
};

/**
 * Listens for the operator's questions, where that is possible. Where it is not, the registry serves without.
 * @throws DrayError `LOCKED` where another registry that writes answers with the volume
 */
export const openControl = async (
  volume: Volume,
  actions: ControlActions,
  log: Log,
): Promise<ControlServer | undefined> => {
  const { beside, apart } = await socketsOf(volume.folder);
  let why = "XDG_RUNTIME_DIR, where that of a registry that only reads lies, is not set";
  for (const path of [volume.writes ? beside : undefined, apart]) {
    if (path === undefined) continue;
    try {
      return await serveControl({ path, serves: volume.folder, format: controls, actions });
    } catch (error) {
      if (path === beside && isDrayError(error, "LOCKED")) throw error;
      why = reasonOf(error);
    }
  }
  log(
    "warn",
    `there is no control socket, so dray serve status, reload, read-only and gc cannot reach this registry: ${why}; XDG_RUNTIME_DIR may name a folder for it`,
  );
  return undefined;
};

/**
 * The registry that is running on a folder, or `undefined`. Nothing is made to find it, and nothing locked.
 * @throws DrayError `DENIED` where it runs as another user
 */
export const running = async ({ storage, registry }: Place): Promise<ControlClient | undefined> => {
  const { beside, apart } = await socketsOf(rootOf(storage));
  for (const path of registry.readOnly === true ? [apart, beside] : [beside, apart]) {
    const client = path === undefined ? undefined : await control(path, controls);
    if (client !== undefined) return client;
  }
  return undefined;
};

/** The one that writes. */
export const runningWriter = async ({ storage }: Place): Promise<ControlClient | undefined> => {
  const { beside, apart } = await socketsOf(rootOf(storage));
  const client = await control(beside, controls);
  if (client !== undefined || apart === undefined) return client;
  const other = await control(apart, controls);
  const status = await other?.ask("status", {});
  return status?.["writes"] === true ? other : undefined;
};

const rootOf = (storage: Settings["storage"]): string => {
  if (storage.driver === "filesystem") return storage.root;
  throw new DrayError(
    "USAGE",
    "a registry in memory lives in its process alone; name the folder of the data: --data DIR",
  );
};
