import { temporaryFolder } from "@dray/testkit/files";
import { driverContract } from "../../../test/driver-contract/driver-contract.ts";
import { filesystemDriver } from "../../storage/filesystem-driver.ts";
import { closeReceiveWorkers, receiveInThread } from "./index.ts";

driverContract("a driver of the file system that receives in threads", async () => {
  const folder = temporaryFolder("receive");
  const driver = await filesystemDriver(folder, { receive: receiveInThread });
  return {
    driver,
    end: async () => {
      await driver.close();
      await closeReceiveWorkers();
    },
  };
});
