import { after, before, describe } from "node:test";
import type { Driver } from "../../src/storage/index.ts";
import { UploadsHarness } from "./harness.ts";
import { interrupted } from "./interrupted.ts";
import { oneClient } from "./one-client.ts";
import { twoClients } from "./two-clients.ts";

/** What upload sessions do over every driver, as tests. */
export const uploadsContract = (name: string, make: () => Promise<{ driver: Driver; end(): Promise<void> }>): void => {
  describe(name, () => {
    let made: Awaited<ReturnType<typeof make>> | undefined;
    // The tests are named before the driver is there.
    const harness = new UploadsHarness();
    before(async () => {
      made = await make();
      harness.driver = made.driver;
    });
    after(async () => {
      await harness.end();
      await made?.end();
    });
    oneClient(harness);
    interrupted(harness);
    twoClients(harness);
  });
};
