import { KeyedRwLock } from "dray/internal/async";
import { Tree } from "../../src/distribution-tree/index.ts";
import { type Collector, createCollector } from "../../src/gc/collector.ts";
import { Leases } from "../../src/leases/index.ts";
import { createReconciler, openMetadata } from "../../src/metadata/index.ts";
import type { Driver } from "../../src/storage/index.ts";
import { createUploads } from "../../src/uploads/index.ts";
import type { GcModel } from "./model.ts";

/** A collector for tests, as it stands long after a start, with the world's promises and uploads. */
export const collectorOver = async (
  driver: Driver,
  { grace, untagged, repositories }: Pick<GcModel, "grace" | "untagged" | "repositories">,
  now: number,
): Promise<{ collector: Collector; close: () => Promise<void> }> => {
  let time = now - 10_000;
  const clock = (): number => time;
  const lease = 1000;
  const tree = new Tree(driver);
  const metadata = openMetadata(":memory:");
  const reconciler = createReconciler({ tree, metadata, now: clock });
  const uploads = createUploads({ driver, now: clock, lease, silence: 5000 });
  const leases = new Leases({ length: lease, now: clock, uploading: (repository) => uploads.isOpenIn(repository) });
  time = now;
  for (const [repository, place] of repositories) {
    for (const digest of place.leases) leases.record(repository, digest);
    if (place.uploading) await uploads.begin(repository, { owner: "somebody" });
  }
  const collector = createCollector({
    tree,
    metadata,
    reconciler,
    leases,
    uploads,
    locks: new KeyedRwLock(),
    settings: { grace, lease, share: 1, ...(untagged === undefined ? {} : { untagged }) },
    now: clock,
    forget: () => {},
    onNotice: () => {},
  });
  const close = async (): Promise<void> => {
    await uploads.close();
    await reconciler.close();
    metadata.close();
  };
  return { collector, close };
};
