import { temporaryFolder } from "@dray/testkit/files";
import { uploadsContract } from "../../test/uploads-contract/uploads-contract.ts";
import { filesystemDriver, memoryDriver } from "../storage/index.ts";
import { closeReceiveWorkers, receiveInThread } from "./receive/index.ts";

uploadsContract("uploads in memory", async () => ({ driver: memoryDriver(), end: async () => {} }));

for (const [where, options] of [
  ["in place", {}],
  ["in threads", { receive: receiveInThread }],
] as const)
  uploadsContract(`uploads into files, received ${where}`, async () => {
    const folder = temporaryFolder("uploads");
    const driver = await filesystemDriver(folder, options);
    return {
      driver,
      end: async () => {
        await driver.close();
        await closeReceiveWorkers();
      },
    };
  });
