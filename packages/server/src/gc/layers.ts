import type { Digest } from "dray/oci";
import { unlinkLayer } from "../deletion/index.ts";
import { layerFolder } from "../distribution-tree/index.ts";
import { inBatches } from "./batches.ts";
import type { Roots } from "./roots.ts";
import { isOld, keep, notReconciled, passing, promised, type Run, tooYoung, writtenAgo } from "./run.ts";
import type { Decision } from "./types.ts";

/**
 * Takes blobs out of a repository that no manifest in it needs, and remembers all others.
 * @param roots what it keeps besides, and why nothing may go from here
 */
export const collectLayers = async (run: Run, repository: string, roots: Roots): Promise<void> => {
  const { tree, reachability, yielding } = run;
  const waiting: Digest[] = [];
  const partners = new Map<Digest, Digest[]>();
  for await (const digest of tree.layers(repository)) {
    const target = await tree.layer(repository, digest);
    // Distribution keeps a blob pushed by its sha512 under its sha256, and links the one name to the other. Whatever uses one uses both.
    if (target !== undefined && target !== digest) {
      partners.set(digest, [...(partners.get(digest) ?? []), target]);
      partners.set(target, [...(partners.get(target) ?? []), digest]);
    }
    if (reachability.refersTo(repository, digest)) keep(run, digest, target);
    else waiting.push(digest);
    await yielding.turn();
  }
  await inBatches(waiting, yielding, async (digest) => {
    const names = [digest, ...(partners.get(digest) ?? [])];
    const take = (): Promise<void> => takeLayer(run, { repository, names, roots });
    const done = await passing(run, () => (run.dryRun ? take() : run.locks.hold({ exclusive: names }, take)));
    // Its link may be there still, and it keeps what it stands for.
    if (!done) for (const name of names) keep(run, name, undefined);
  });
};

interface Layer {
  readonly repository: string;
  /** Its own, and those that stand for the same. */
  readonly names: readonly Digest[];
  readonly roots: Roots;
}

const takeLayer = async (run: Run, layer: Layer): Promise<void> => {
  const { repository, names } = layer;
  const digest = names[0] as Digest;
  const verdict = await judge(run, layer);
  if (verdict === "nothing") {
    if (!run.dryRun) await run.tree.tidyFolder(layerFolder(repository, digest), (time) => isOld(run, time));
    return;
  }
  if (verdict === undefined || verdict.action === "keep") keep(run, digest, await run.tree.layer(repository, digest));
  else if (!run.dryRun) await unlinkLayer(run, repository, digest);
  if (verdict !== undefined) run.decide({ kind: "layer", repository, digest, ...verdict });
};

/** `undefined`: it is used. */
const judge = async (
  run: Run,
  { repository, names, roots: { kept, held } }: Layer,
): Promise<Pick<Decision, "action" | "reason"> | "nothing" | undefined> => {
  const { tree, reachability, reconciler, leases, uploads } = run;
  const time = await tree.layerTime(repository, names[0] as Digest);
  if (time === undefined) {
    await tree.refuseBrokenLink(`${layerFolder(repository, names[0] as Digest)}/link`);
    return "nothing";
  }
  // One that has no manifests yet is no repository: then there is nothing to be known of it.
  const exists = await reconciler.reconcile(repository);
  if (names.some((name) => kept.has(name) || reachability.refersTo(repository, name))) return undefined;
  const stays = (reason: string) => ({ action: "keep", reason }) as const;
  if (held !== undefined) return stays(held.reason);
  if (uploads.isOpenIn(repository, run.lease)) return stays("an upload is open in its repository");
  if (names.some((name) => leases.holds(name, repository))) return stays(promised);
  if (!isOld(run, time)) return stays(tooYoung(run, time));
  // The metadata missed a write, or was begun anew: what it said above means nothing.
  if (!(exists ? reconciler.repositories.isReconciled(repository) : reconciler.isComplete)) return stays(notReconciled);
  return { action: "remove", reason: `no manifest of its repository needs it, ${writtenAgo(run, time)}` };
};

/** Something that changes when a blob comes to a repository or goes. */
export const layersState = async ({ tree }: Run, repository: string): Promise<string> => {
  const states = [];
  for (const algorithm of ["sha256", "sha512"] as const) {
    const facts = await tree.layersVersion(repository, algorithm);
    states.push(facts === undefined ? "" : `${facts.mtime}.${facts.ino}`);
  }
  return states.join();
};
