import { after, before, beforeEach, describe } from "node:test";
import type { Driver } from "../../src/storage/driver.ts";
import { changing } from "./changing.ts";
import { looking } from "./looking.ts";
import { receiving } from "./receiving.ts";
import { writing } from "./writing.ts";

export interface DriverUnderTest {
  readonly driver: Driver;
  end(): Promise<void>;
}

/** What every driver does, as tests: the suite of the CNCF distribution's drivers, as far as it applies, and ours. */
export const driverContract = (name: string, make: () => Promise<DriverUnderTest>): void => {
  describe(name, () => {
    let made: DriverUnderTest;
    let folders = 0;
    before(async () => {
      made = await make();
    });
    after(() => made.end());
    beforeEach(() => {
      folders++;
    });
    const tested = {
      get driver(): Driver {
        return made.driver;
      },
      get at(): string {
        return `tests/${folders}`;
      },
    };
    writing(tested);
    looking(tested);
    changing(tested);
    receiving(tested);
  });
};
