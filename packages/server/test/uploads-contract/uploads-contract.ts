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
    const ground = new UploadsHarness();
    before(async () => {
      made = await make();
      ground.driver = made.driver;
    });
    after(async () => {
      await ground.end();
      await made?.end();
    });
    oneClient(ground);
    interrupted(ground);
    twoClients(ground);
  });
};
