import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A new folder, which is removed with all that is in it when the process ends: each file of tests has a process of its own. What a
 * killed process leaves lies under a name that says whose it was.
 * @example const folder = temporaryFolder("locks");
 */
export const temporaryFolder = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `dray-${name}-`));
  if (folders.length === 0) process.once("exit", removeAll);
  folders.push(folder);
  return folder;
};

const folders: string[] = [];

const removeAll = (): void => {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // A process that a test left behind still writes there. Nothing is said: the test has said what there was to say.
    }
  }
};
