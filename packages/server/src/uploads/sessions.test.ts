import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { nodeFiles } from "dray/internal/files";
import { closeThreads } from "dray/internal/threads";
import { uploadsContract } from "../../test/uploads-contract/uploads-contract.ts";
import { filesystemDriver, memoryDriver } from "../storage/index.ts";

uploadsContract("uploads in memory", async () => ({ driver: memoryDriver(), end: async () => {} }));

for (const [where, options] of [
  // Files that have no number, so that no thread writes them.
  ["in place", { fs: faultyFiles(nodeFiles, () => undefined) }],
  ["in threads", {}],
] as const)
  uploadsContract(`uploads into files, received ${where}`, async () => {
    const folder = temporaryFolder("uploads");
    const driver = await filesystemDriver(folder, options);
    return {
      driver,
      end: async () => {
        await driver.close();
        await closeThreads();
      },
    };
  });
