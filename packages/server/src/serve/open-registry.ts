import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { foreignFile } from "@dray/service/sqlite";
import { DrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import { nodeFiles } from "dray/internal/files";
import { type Access, fetchJson, htpasswd, openAccess, tokens } from "../access/index.ts";
import type { AccessSettings, Settings } from "../config/index.ts";
import { indexFormat } from "../metadata/index.ts";
import type { Notice } from "../notice.ts";
import type { RegistryOptions } from "../options.ts";
import { createRegistry, type Registry } from "../registry.ts";
import {
  type Driver,
  filesystemDriver,
  giveToFolder,
  lockVolume,
  makeForOwner,
  memoryDriver,
  type Volume,
} from "../storage/index.ts";

export interface OpenRegistry {
  readonly registry: Registry;
  readonly driver: Driver;
  /** Where there is a folder. */
  readonly volume: Volume | undefined;
  readonly access: Access;
  /** Gives the index to whom its folder belongs: it is a new file once it was made anew. */
  readonly giveIndex: () => Promise<void>;
}

export interface OpenRegistryOptions {
  readonly onNotice: (notice: Notice) => void;
  /** Around the driver, such as measurements. */
  readonly around?: ((driver: Driver) => Driver) | undefined;
  readonly counts?: RegistryOptions["counts"] | undefined;
  readonly traffic?: RegistryOptions["traffic"] | undefined;
  /** `true`: nothing is written and nothing locked, until the volume is taken. Default `false`. */
  readonly readOnly?: boolean | undefined;
  /** What this process is called where another one wants the volume. */
  readonly who: string;
  /** Milliseconds to wait for a holder that may be ending. Default 0. */
  readonly patience?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** The registry that the settings describe, its volume locked unless it is only read. @throws DrayError naming what is wrong, with nothing left behind */
export const openRegistry = async (settings: Settings, options: OpenRegistryOptions): Promise<OpenRegistry> => {
  const { onNotice, around = (driver) => driver, counts, traffic } = options;
  refuseForeignIndex(settings);
  const access = await accessOf(settings.access, onNotice);
  let opened: Driver | undefined;
  try {
    const { driver: files, volume } = await storageOf(settings, options);
    opened = files;
    const driver = around(files);
    const index = volume && (await indexOf(settings, volume));
    const registry = createRegistry(
      defined<RegistryOptions>({ ...settings.registry, index, counts, traffic, driver, access, onNotice }),
    );
    const giveIndex = async (): Promise<void> => {
      if (index !== undefined) for (const end of ["", "-wal"]) await giveToFolder(nodeFiles, index + end);
    };
    await giveIndex();
    return { driver, volume, access, registry, giveIndex };
  } catch (error) {
    await opened?.close();
    await access.close?.();
    throw error;
  }
};

const storageOf = async (
  { storage }: Settings,
  { onNotice, readOnly, who, patience, signal }: OpenRegistryOptions,
): Promise<{ readonly driver: Driver; readonly volume?: Volume }> => {
  if (storage.driver === "inmemory") return { driver: memoryDriver() };
  const driver = await filesystemDriver(storage.root, {
    durability: storage.durability,
    lock: lockVolume,
    readOnly,
    who,
    patience,
    signal,
    onNotice: (message) => onNotice({ level: "warn", message }),
  });
  return { driver, volume: driver.volume };
};

/**
 * The index is begun anew where it cannot be used, so a file that somebody named has to be one.
 * @throws DrayError `CONFIG_INVALID` where anything else lies there
 */
export const refuseForeignIndex = ({ storage }: Pick<Settings, "storage">): void => {
  const index = storage.driver === "filesystem" ? storage.index : undefined;
  const why = index && foreignFile(index, indexFormat);
  if (index === undefined || why === undefined) return;
  const remedy = "name another file, or move this one away";
  throw new DrayError("CONFIG_INVALID", `dray.index: ${index} is no index of this registry: ${why}; ${remedy}`, {
    reference: index,
  });
};

/** Beside the tree where that may be written, else in memory. */
const indexOf = async ({ storage }: Settings, { own, writes }: Volume): Promise<string | undefined> => {
  const said = storage.driver === "filesystem" ? storage.index : undefined;
  const index = said ?? (writes ? join(own, "index.db") : undefined);
  // Where there can be none it says so itself.
  if (index !== undefined)
    await makeForOwner(nodeFiles, dirname(index), () => mkdir(dirname(index), { recursive: true })).catch(() => {});
  return index;
};

/** Who may do what, by the settings. @throws DrayError where a file that is needed for it cannot be read */
export const accessOf = async (settings: AccessSettings, onNotice: (notice: Notice) => void): Promise<Access> => {
  switch (settings.kind) {
    case "none":
      return openAccess();
    case "htpasswd":
      return htpasswd({ ...settings.options, onNotice });
    case "token":
      return tokens({ ...settings.options, fetchJson, onNotice });
  }
};
