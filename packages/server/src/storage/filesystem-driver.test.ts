import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { driverContract } from "../../test/driver-contract/driver-contract.ts";
import { filesystemDriver } from "./filesystem-driver.ts";

for (const durability of ["full", "relaxed"] as const)
  driverContract(`a driver of the file system, durability ${durability}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "dray-driver-"));
    const driver = await filesystemDriver(folder, { durability });
    return {
      driver,
      end: async () => {
        await driver.close();
        await rm(folder, { recursive: true });
      },
    };
  });
