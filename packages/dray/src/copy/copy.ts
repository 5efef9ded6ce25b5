import {
  bottomOf,
  composesManifests,
  holdsOnePlatform,
  ingests,
  keepsLayers,
  type Located,
  type ProgressEvent,
  plans,
  type ReadableStore,
  type Selection,
  selectPlatforms,
  type WritableStore,
} from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Descriptor } from "../oci/index.ts";
import { takeInOrder } from "./in-order.ts";
import type { CopyCounts, CopyOptions } from "./options.ts";
import { inPushForm } from "./push-form.ts";
import { Run } from "./run.ts";
import { Transfer } from "./transfer.ts";

/** What a copy came to: the root that the target has now, and how much was moved. */
export interface CopyResult extends CopyCounts {
  /** What the target's name stands for now. */
  readonly root: Descriptor;
}

/** One root, and where it goes. */
export interface CopyPair {
  readonly source: Located<ReadableStore>;
  readonly target: Located<WritableStore>;
}

/** How one root of many ended. */
export type CopyOutcome =
  | { readonly pair: CopyPair; readonly root: Descriptor; readonly error?: undefined }
  /** With a root: it is there, and something that refers to it is not (`PARTIAL`). */
  | { readonly pair: CopyPair; readonly error: DrayError; readonly root?: Descriptor | undefined };

/** Roots that are worked on at the same time; bodies are bounded by their slots. */
const rootsAtOnce = 32;

/**
 * Moves what is missing from one store to another: every blob once, children before parents, the name last. The target is
 * closed at the end.
 * @throws DrayError the first error; what arrived whole stays and is skipped next time. `PARTIAL` where the root is there under its name, and
 *   something that refers to it could not be taken along.
 * @example
 * const { root, bytes } = await copy(await open("docker.io/library/alpine:3.20"), await open("oci:./mirror:alpine"));
 */
export const copy = async (
  source: Located<ReadableStore>,
  target: Located<WritableStore>,
  options: CopyOptions = {},
): Promise<CopyResult> => {
  const { outcomes, ...counts } = await copyAll([{ source, target }], options);
  const [outcome] = outcomes;
  if (outcome?.error !== undefined) throw outcome.error;
  if (outcome === undefined) throw new DrayError("USAGE", "nothing to copy");
  return { root: outcome.root, ...counts };
};

/**
 * Many roots with one dedupe and one set of jobs, and a result for each: one that fails does not stop the others.
 * @throws DrayError only when cancelled, or when a target cannot be finished.
 * @example
 * const { outcomes } = await copyAll(tags.map((name) => ({ source: { ...from, name }, target: { ...to, name } })));
 * const failed = outcomes.filter(({ error }) => error !== undefined);
 */
export const copyAll = async (
  pairs: readonly CopyPair[],
  options: CopyOptions = {},
): Promise<CopyCounts & { readonly outcomes: readonly CopyOutcome[] }> => {
  const run = new Run(options, pairs.length === 1);
  const transfer = new Transfer(run);
  const targets = new Set(pairs.map(({ target }) => target.store));
  const outcomes: CopyOutcome[] = new Array(pairs.length);
  try {
    const sources = await takeInOrder(transfer, pairs);
    const readable = async (pair: CopyPair): Promise<CopyPair> => ({
      ...pair,
      source: (await sources.get(pair)) ?? pair.source,
    });
    const planned = await planArchives(transfer, pairs, options, readable);
    await run.eachOf(pairs.entries(), rootsAtOnce, async ([i, pair]) => {
      outcomes[i] = await outcomeOf(pair, async () => {
        // Both ends are asked at the same time: elsewhere each answer takes a while.
        const asking = new AbortController();
        const named = transfer.targets.named(pair.target, asking.signal);
        // Heard below; a source that has nothing to copy is told of at once, however long the target takes.
        named.catch(() => {});
        try {
          const selection = planned.get(pair) ?? (await select(transfer, await readable(pair), options));
          return await transfer.root(selection, pair.target, await named);
        } finally {
          asking.abort();
        }
      });
    });
    run.throwIfCancelled();
  } catch (error) {
    await Promise.allSettled([...targets].map((store) => store.close({ abort: true })));
    throw error;
  }
  const failed = new Set(outcomes.flatMap(({ root, pair }) => (root === undefined ? [pair.target.store] : [])));
  // An archive is only whole when every root of it is; other stores keep what arrived either way.
  const closed = await Promise.allSettled([...targets].map((store) => store.close({ abort: failed.has(store) })));
  for (const each of closed) if (each.status === "rejected") throw each.reason;
  return { outcomes, ...transfer.counts() };
};

const outcomeOf = async (
  pair: CopyPair,
  work: () => Promise<{ readonly root: Descriptor; readonly partly: DrayError | undefined }>,
): Promise<CopyOutcome> => {
  try {
    const { root, partly } = await work();
    return partly === undefined ? { pair, root } : { pair, root, error: partly };
  } catch (error) {
    if (isDrayError(error)) return { pair, error };
    throw error;
  }
};

/** Finds what a pair is about: the source's root, narrowed to the platforms asked for, in the form in which it goes there. */
const select = async (transfer: Transfer, { source, target }: CopyPair, options: CopyOptions): Promise<Selection> => {
  const { signal, emit } = transfer.run;
  if (options.referrers === true) await refuseReferrers(target, signal);
  const found = await source.store.resolve(source.name, { signal, toRead: true });
  const selection = await selectPlatforms(source.store, found, await platformsFor(target.store, options, signal), {
    signal,
    called: source.location,
  });
  if (selection.trimmed) emit(trimWarning(found));
  const asIs = options.layers === "as-is" || options.dryRun === true || !composesManifests(bottomOf(source.store));
  return asIs || !ingests(target.store) || keepsLayers(target.store)
    ? selection
    : inPushForm(selection, target.store, transfer);
};

/** What refers to an image names its manifest, which a store of images alone does not keep. */
const refuseReferrers = async ({ store, location }: Located<WritableStore>, signal: AbortSignal): Promise<void> => {
  if (!holdsOnePlatform(store) || (await store.platform({ signal })) === undefined) return;
  throw new DrayError(
    "UNSUPPORTED",
    `cannot write ${location}: it keeps images without their manifests, so nothing there can refer to one`,
    { reference: location, remedy: "leave-referrers" },
  );
};

/** Those that were named; where nobody names one, that of a target which holds images of one platform each. */
const platformsFor = async (
  target: WritableStore,
  { platforms = [] }: CopyOptions,
  signal: AbortSignal,
): Promise<NonNullable<CopyOptions["platforms"]>> => {
  const own = platforms.length === 0 && holdsOnePlatform(target) ? await target.platform({ signal }) : undefined;
  return own === undefined ? platforms : [own];
};

/** A target that lays out its entries hears of everything, in order, before the first byte. */
const planArchives = async (
  transfer: Transfer,
  pairs: readonly CopyPair[],
  options: CopyOptions,
  readable: (pair: CopyPair) => Promise<CopyPair>,
): Promise<Map<CopyPair, Selection>> => {
  const { graph, run } = transfer;
  const planned = new Map<CopyPair, Selection>();
  for (const pair of pairs) {
    const target = pair.target.store;
    if (!plans(target) || options.dryRun === true) continue;
    const selection = await select(transfer, await readable(pair), options);
    planned.set(pair, selection);
    const content = await graph.contentOf(selection);
    const root = content.find(({ descriptor }) => descriptor.digest === selection.root.digest)?.descriptor;
    await target.plan(root ?? selection.root, content, { signal: run.signal });
  }
  return planned;
};

const trimWarning = (index: Descriptor): ProgressEvent => ({
  type: "warning",
  message: `the new index is part of ${index.digest}; signatures and other referrers of that one do not apply to it and stay behind`,
});
