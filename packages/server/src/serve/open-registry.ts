import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { defined } from "dray/internal/defined";
import { type Access, fetchJson, htpasswd, openAccess, tokens } from "../access/index.ts";
import type { AccessSettings, Settings } from "../config/index.ts";
import type { Notice } from "../notice.ts";
import type { RegistryOptions } from "../options.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { type Driver, filesystemDriver, lockVolume, memoryDriver } from "../storage/index.ts";

export interface OpenRegistry {
  readonly registry: Registry;
  readonly driver: Driver;
  readonly access: Access;
}

export interface OpenRegistryOptions {
  readonly onNotice: (notice: Notice) => void;
  /** Around the driver, such as measurements. */
  readonly around?: ((driver: Driver) => Driver) | undefined;
  readonly counts?: RegistryOptions["counts"] | undefined;
}

/** The registry that the settings describe, its volume locked. @throws DrayError naming what is wrong, with nothing left behind */
export const openRegistry = async (
  settings: Settings,
  { onNotice, around = (driver) => driver, counts }: OpenRegistryOptions,
): Promise<OpenRegistry> => {
  const { storage } = settings;
  const access = await accessOf(settings.access, onNotice);
  try {
    const driver = around(await driverOf(settings));
    const index = storage.driver === "filesystem" ? storage.index : undefined;
    if (index !== undefined) await mkdir(dirname(index), { recursive: true });
    const registry = createRegistry(
      defined<RegistryOptions>({ ...settings.registry, index, counts, driver, access, onNotice }),
    );
    return { driver, access, registry };
  } catch (error) {
    await access.close?.();
    throw error;
  }
};

const driverOf = async ({ storage }: Settings): Promise<Driver> =>
  storage.driver === "inmemory"
    ? memoryDriver()
    : filesystemDriver(storage.root, { durability: storage.durability, lock: lockVolume });

/** Who may do what, by the settings. @throws DrayError where a file that is needed for it cannot be read */
const accessOf = async (settings: AccessSettings, onNotice: (notice: Notice) => void): Promise<Access> => {
  switch (settings.kind) {
    case "none":
      return openAccess();
    case "htpasswd":
      return htpasswd({ ...settings.options, onNotice });
    case "token":
      return tokens({ ...settings.options, fetchJson, onNotice });
  }
};
