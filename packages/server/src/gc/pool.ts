import { unlessAborted } from "dray/internal/async";
import type { Digest } from "dray/oci";
import { blobFolder, layerFolder } from "../distribution-tree/index.ts";
import { inBatches } from "./batches.ts";
import { layersState } from "./layers.ts";
import { isOld, keep, notReconciled, passing, promised, type Run, tooYoung, trouble, writtenAgo } from "./run.ts";
import type { Decision } from "./types.ts";

/** Milliseconds between two looks at what other programs changed, unless looking takes long itself. */
const lookEvery = 30_000;

/** Removes data that no manifest and no link in any repository leads to. */
export const collectPool = async (run: Run): Promise<void> => {
  const { tree, reachability, linked, yielding } = run;
  await reachability.spread();
  let looked = await lookAgain(run);
  const candidates = async function* (): AsyncGenerator<Digest> {
    for await (const digest of tree.blobs(undefined, (error) => trouble(run, error))) {
      if (!reachability.isUsed(digest) && !linked.has(digest)) {
        if (performance.now() > looked) looked = await lookAgain(run);
        yield digest;
      }
      await yielding.turn();
    }
  };
  await inBatches(candidates(), yielding, async (digest) => {
    if (!run.reconciler.isComplete) await unlessAborted(run.reconciler.settled(), run.signal);
    const take = (): Promise<void> => takeBlob(run, digest);
    await passing(run, () => (run.dryRun ? take() : run.locks.hold({ exclusive: [digest] }, take)));
  });
};

const takeBlob = async (run: Run, digest: Digest): Promise<void> => {
  const verdict = await judge(run, digest);
  if (verdict === "nothing") {
    if (!run.dryRun) await run.tree.tidyFolder(blobFolder(digest), (time) => isOld(run, time));
    return;
  }
  if (verdict === undefined) return;
  // Nothing comes after it, so nothing has to wait for it.
  if (verdict.action === "remove" && !run.dryRun) await run.tree.removeBlob(digest, { durable: false });
  run.decide({ kind: "blob", digest, ...verdict });
};

/** `undefined`: it is used. */
const judge = async (
  run: Run,
  digest: Digest,
): Promise<Pick<Decision, "action" | "reason" | "bytes"> | "nothing" | undefined> => {
  const { tree, reachability, linked, linkedSince, reconciler, leases } = run;
  const facts = await tree.blobFacts(digest);
  const leased = leases.holds(digest);
  if (reachability.isUsed(digest) || linked.has(digest) || linkedSince.has(digest)) return undefined;
  if (facts === undefined) return "nothing";
  const { size: bytes, mtime } = facts;
  const stays = (reason: string) => ({ action: "keep", reason, bytes }) as const;
  if (leased) return stays(promised);
  if (!isOld(run, mtime)) return stays(tooYoung(run, mtime));
  // The metadata missed a write, or was begun anew: what it said above means nothing. The next run will know.
  if (!reconciler.isComplete) return stays(notReconciled);
  return { action: "remove", reason: `nothing uses it, ${writtenAgo(run, mtime)}`, bytes };
};

/**
 * Looks at whatever came to any repository since its links were looked at: our own pushes are leased, another program's are not.
 * @returns when to look again
 */
const lookAgain = async (run: Run): Promise<number> => {
  const { tree, reconciler, seen, yielding } = run;
  const begun = performance.now();
  for await (const { repository, manifests, layers } of tree.walk()) {
    if (!manifests && !layers) continue;
    if (manifests) await reconciler.reconcile(repository);
    const state = await layersState(run, repository);
    if (seen.get(repository) !== state) {
      seen.set(repository, state);
      for await (const digest of tree.layers(repository)) {
        await keepLinked(run, repository, digest);
        await yielding.turn();
      }
    }
    await yielding.turn();
  }
  const ended = performance.now();
  return ended + Math.max(lookEvery, 10 * (ended - begun));
};

/** A folder that has lost its link holds nothing; a link that is damaged does. */
const keepLinked = async (run: Run, repository: string, digest: Digest): Promise<void> => {
  const target = await run.tree.layer(repository, digest);
  if (target !== undefined || (await run.tree.layerTime(repository, digest)) !== undefined) keep(run, digest, target);
  else await run.tree.refuseBrokenLink(`${layerFolder(repository, digest)}/link`);
};
