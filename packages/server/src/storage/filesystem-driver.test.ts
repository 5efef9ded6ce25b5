import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { nodeFiles } from "dray/internal/files";
import { closeThreads } from "dray/internal/threads";
import { driverContract } from "../../test/driver-contract/driver-contract.ts";
import { filesystemDriver } from "./filesystem-driver.ts";

for (const [what, options] of [
  ["durability full", { durability: "full" }],
  ["durability relaxed", { durability: "relaxed" }],
  // Files that have no number, so that no thread writes them.
  ["written in place", { fs: faultyFiles(nodeFiles, () => undefined) }],
] as const)
  driverContract(`a driver of the file system, ${what}`, async () => {
    const folder = temporaryFolder("driver");
    const driver = await filesystemDriver(folder, options);
    return {
      driver,
      end: async () => {
        await driver.close();
        await closeThreads();
      },
    };
  });
