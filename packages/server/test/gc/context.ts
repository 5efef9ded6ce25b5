import { createContext, type RegistryContext } from "../../src/context.ts";
import type { Driver } from "../../src/storage/index.ts";
import type { GcModel } from "./model.ts";

/** A registry for tests, as it stands long after a start, with the model's promises and uploads. */
export const contextOver = async (
  driver: Driver,
  { grace, untagged, repositories }: Pick<GcModel, "grace" | "untagged" | "repositories">,
  now: number,
): Promise<RegistryContext> => {
  let time = now - 10_000;
  const gc = { grace, lease: 1000, share: 1, ...(untagged === undefined ? {} : { untagged }) };
  const context = createContext({ driver, now: () => time, gc });
  time = now;
  for (const [repository, place] of repositories) {
    for (const digest of place.leases) context.leases.record(repository, digest);
    if (place.uploading) await context.uploads.begin(repository, { owner: "somebody" });
  }
  return context;
};
