import { formatBytes, plural } from "@dray/service/figures";
import { DrayError, throwIfAborted } from "dray/errors";
import { unlessAborted, Yielding } from "dray/internal/async";
import type { Digest } from "dray/oci";
import type { ClockJumps } from "../clock-jumps.ts";
import type { Tree } from "../distribution-tree/index.ts";
import { DigestSet } from "./digest-set.ts";
import { collectEmpty } from "./emptied.ts";
import { collectOrphans } from "./orphans.ts";
import { collectPool } from "./pool.ts";
import { manifestsOf, Reachability, repositoriesOf } from "./reachability.ts";
import { collectRepository } from "./repository.ts";
import { blind, type CollectorContext, duration, passing, type Run, unlisted, writtenAgo } from "./run.ts";
import type { Collected, CollectOptions, CollectorState, Decision, Marks } from "./types.ts";

/** Milliseconds of work before a rest. */
const slice = 4;
const day = 86_400_000;

/** What a run keeps where nobody says otherwise; milliseconds. */
export interface Retention {
  /** What is younger stays. */
  readonly grace: number;
  /** How long manifests without a tag stay; without it for ever. */
  readonly untagged?: number;
}

export interface CollectorOptions extends CollectorContext {
  /** Milliseconds that go on evenly. */
  readonly elapsed: () => number;
  readonly jumps: ClockJumps;
  readonly retention: Retention;
  /** In milliseconds. */
  readonly settings: {
    readonly lease: number;
    /** Default: 7 days. */
    readonly uploads?: number;
    /** Part of the time that a run may work, so that requests have the rest. Default 1/3. */
    readonly share?: number;
  };
}

export interface Collector {
  /**
   * One run. It waits until the metadata is whole.
   * @throws DrayError `LOCKED` while another run is going on; the signal's reason
   */
  collect(options?: CollectOptions): Promise<Collected>;
  /** What distribution's `garbage-collect --dry-run` tells of the same tree. */
  marks(options?: { signal?: AbortSignal }): Promise<Marks>;
  state(): CollectorState;
  /** What runs keep from now on, as a whole: what is not said any more does not hold any more. */
  retain(retention: Retention): void;
}

/**
 * Removes what nothing uses, while the registry is used. Uses begin under a shared hold of a digest and end under an exclusive one, so
 * each thing goes under an exclusive hold with all conditions checked once more inside; links go before data. A run that is cut off
 * anywhere leaves nothing that the next does not finish.
 */
export const createCollector = (options: CollectorOptions): Collector => {
  let state: CollectorState = { running: false };
  let { retention } = options;

  const run = async (wanted: CollectOptions, linkedSince: ReadonlySet<Digest>): Promise<Collected> => {
    const begun = performance.now();
    const { reconciler, settings, onNotice } = options;
    const now = steadily(options);
    const { dryRun = false, lease = settings.lease, signal } = wanted;
    const leases = options.leases.lasting(lease);
    const counts = { manifest: 0, tag: 0, layer: 0, blob: 0, upload: 0, repository: 0, bytes: 0, kept: 0 };
    const unreadable: { readonly repository: string; readonly digest: Digest }[] = [];
    const held: Run["held"] = [];
    const troubles: Run["troubles"] = { count: 0, unswept: undefined };
    const result = (): Collected => ({
      manifests: counts.manifest,
      layers: counts.layer,
      blobs: counts.blob,
      uploads: counts.upload,
      tags: counts.tag,
      repositories: counts.repository,
      bytes: counts.bytes,
      kept: counts.kept,
      unreadable,
      held,
      troubles: troubles.count,
      ...(troubles.unswept === undefined ? {} : { unswept: troubles.unswept }),
      dryRun,
      seconds: (performance.now() - begun) / 1000,
    });
    const settles = options.jumps.wait(lease);
    if (!dryRun && settles > 0) return { ...result(), notBefore: now() + settles, clockWentBy: options.jumps.by };
    if (!dryRun && leases.wait > 0) {
      const seconds = Math.ceil(leases.wait / 1000);
      onNotice({
        level: "info",
        message: `nothing is collected yet: blobs promised before the start are kept for ${seconds} more seconds`,
      });
      return { ...result(), notBefore: now() + leases.wait };
    }
    const decide = (decision: Decision): void => {
      if (decision.action === "keep") counts.kept++;
      else {
        counts[decision.kind]++;
        counts.bytes += decision.bytes ?? 0;
      }
      wanted.onDecision?.(decision);
    };
    const yielding = new Yielding({ slice, share: settings.share ?? 1 / 3, signal });
    const reachability = new Reachability(options.metadata, yielding);
    const { grace = retention.grace, untagged = retention.untagged } = wanted;
    const context: Run = {
      ...options,
      now,
      leases,
      lease: wanted.lease,
      dryRun,
      grace,
      untagged,
      uploadAge: settings.uploads ?? 7 * day,
      yielding,
      signal,
      decide,
      reachability,
      linked: new DigestSet(),
      linkedSince,
      seen: new Map(),
      troubles,
      unreadable,
      tellsHeld: wanted.tellsHeld ?? true,
      held,
    };
    await options.tree.refuseGone();
    await unlessAborted(reconciler.settled(), signal);
    let isEmpty = true;
    for await (const folder of options.tree.walk({ invalid: true, strict: true, onBroken: unlisted(context) })) {
      if (!folder.manifests && !folder.layers) continue;
      isEmpty = false;
      state = { ...state, phase: "repositories", repository: folder.repository };
      await collectRepository(context, folder).catch((error: unknown) => blind(context, error));
      await options.tree.refuseGone();
      await yielding.turn();
    }
    await options.tree.refuseGone();
    if (wanted.orphans === true) await collectOrphans(context);
    if (wanted.empty === true) await collectEmpty(context);
    state = { ...state, phase: "pool" };
    troubles.unswept ??= await whyNot(options.tree, isEmpty && wanted.empty !== true);
    if (troubles.unswept === undefined) await collectPool(context).catch((error: unknown) => blind(context, error));
    state = { ...state, phase: "uploads" };
    await passing(context, () => collectUploads(context));
    if (troubles.unswept !== undefined) {
      const message = `gc swept no blobs, since any may be needed where it cannot look: ${troubles.unswept}; mend that, and the next run sweeps them`;
      onNotice({ level: "warn", message });
    }
    const collected = result();
    const { manifests, layers, blobs, uploads, bytes } = collected;
    if (!dryRun && manifests + layers + blobs + uploads > 0)
      onNotice({
        level: "info",
        message: `gc removed ${plural(manifests, "manifest")}, ${plural(layers, "link")}, ${plural(blobs, "blob")} and ${plural(uploads, "upload")}: ${formatBytes(bytes)}`,
      });
    return collected;
  };

  return {
    collect: async (wanted = {}) => {
      if (state.running) throw new DrayError("LOCKED", "garbage collection is running already; wait for its end");
      state = { ...state, running: true, phase: "waiting" };
      let last = state.last;
      const links = options.tree.followLinks();
      const foreign: string[] = [];
      const watch = options.tree.watchForeign((path) => void foreign.push(path));
      try {
        throwIfAborted(wanted.signal);
        last = await run(wanted, links.linked);
        if (foreign.length > 0) options.onNotice({ level: "warn", message: foreignWords(new Set(foreign)) });
        return last;
      } finally {
        watch.stop();
        links.stop();
        state = { running: false, ...(last === undefined ? {} : { last }) };
      }
    },
    marks: async ({ signal } = {}) => {
      await unlessAborted(options.reconciler.reconciled(), signal);
      return markAll(options, new Yielding({ slice, share: options.settings.share ?? 1 / 3, signal }));
    },
    state: () => state,
    retain: (wanted) => {
      retention = wanted;
    },
  };
};

/** The time of one run: what is done to the clock meanwhile makes nothing old. */
const steadily = ({ now, elapsed }: Pick<CollectorOptions, "now" | "elapsed">): (() => number) => {
  const ahead = now() - elapsed();
  return () => Math.min(now(), ahead + elapsed());
};

/** Why data is not taken for garbage although nothing leads to it: what leads to it may only lie elsewhere. */
const whyNot = async (tree: Tree, isEmpty: boolean): Promise<string | undefined> => {
  if (await tree.hasDatabase())
    return "docker/registry/lockfiles/database-in-use says that GitLab keeps the links of this volume in a database";
  if (!isEmpty) return undefined;
  for await (const _ of tree.blobs())
    return "there is data and not one repository, as where repositories are restored later, or mounted; if all images are meant to be gone, run gc with --empty";
  return undefined;
};

const foreignWords = (paths: ReadonlySet<string>): string => {
  const some = [...paths].slice(0, 5).join(", ");
  return `${paths.size} things in the tree are none of a registry's and are left alone: ${some}${paths.size > 5 ? ", …" : ""}`;
};

/** Removes upload sessions that nobody added to for too long. */
const collectUploads = async (run: Run): Promise<void> => {
  const { uploads, uploadAge, now } = run;
  const before = now() - uploadAge;
  for await (const { repository, id, size, addedAt } of uploads.list()) {
    if (addedAt < before)
      run.decide({
        kind: "upload",
        repository,
        id,
        action: "remove",
        reason: `last ${writtenAgo(run, addedAt)}; uploads stay for ${duration(uploadAge)}`,
        bytes: size,
      });
    await run.yielding.turn();
  }
  if (!run.dryRun) await uploads.purge(before);
};

/** Marks from the metadata, which must be whole, as collecting does. */
const markAll = async (
  { tree, metadata }: Pick<CollectorOptions, "tree" | "metadata">,
  yielding: Yielding,
): Promise<Marks> => {
  const marked = new Set<Digest>();
  for await (const repository of repositoriesOf(metadata, yielding))
    for await (const { digest, references } of manifestsOf(metadata, repository, yielding)) {
      marked.add(digest);
      for (const child of references) marked.add(child);
    }
  const eligible: Digest[] = [];
  for await (const digest of tree.blobs()) {
    if (!metadata.isUsed(digest)) eligible.push(digest);
    await yielding.turn();
  }
  return { marked: [...marked].sort(), eligible };
};
