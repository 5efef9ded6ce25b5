import { temporaryFolder } from "@dray/testkit/files";
import { driverContract } from "../../test/driver-contract/driver-contract.ts";
import { filesystemDriver } from "./filesystem-driver.ts";

for (const durability of ["full", "relaxed"] as const)
  driverContract(`a driver of the file system, durability ${durability}`, async () => {
    const folder = temporaryFolder("driver");
    const driver = await filesystemDriver(folder, { durability });
    return {
      driver,
      end: async () => {
        await driver.close();
      },
    };
  });
