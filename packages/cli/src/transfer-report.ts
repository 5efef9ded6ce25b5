import { formatBytes, formatDuration, plural } from "@dray/service/figures";
import { keepsArrived, type ProgressEvent } from "dray/content";
import { type CopyCounts, type CopyOptions, type CopyPair, copyAll } from "dray/copy";
import { DrayError, isDrayError, printable, restated } from "dray/errors";
import { defined } from "dray/internal/defined";
import { errnoBehind } from "dray/internal/files";
import type { Descriptor, WantedPlatform } from "dray/oci";
import type { Call } from "./context.ts";
import { Interrupted, isReaderGone, messageOf } from "./failure.ts";
import type { ListingOptions } from "./flags.ts";
import { document } from "./json.ts";

/** What a command that moves images can be told. */
export interface MovingOptions extends ListingOptions {
  readonly jobs?: number;
  readonly referrers?: boolean;
  readonly verify?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** How one root ended, as it is told: by its places, and no store. */
export interface MovedRoot {
  readonly pair: { readonly source: { readonly location: string }; readonly target: { readonly location: string } };
  readonly root?: Descriptor | undefined;
  readonly error?: DrayError | undefined;
}

export type Moved = CopyCounts & { readonly outcomes: readonly MovedRoot[] };

/** Copies all pairs, as the flags say. What did not come to its end says so where the same command goes on with it. */
export const moveAll = async (
  { options, signal, reporter }: Call<MovingOptions>,
  pairs: readonly CopyPair[],
  {
    platforms = options.platform ?? [],
    foreignLayers = false,
    layers,
  }: Pick<CopyOptions, "foreignLayers" | "layers"> & { readonly platforms?: readonly WantedPlatform[] } = {},
): Promise<Moved> => {
  const arrived = { part: false, whole: false };
  const onEvent = (event: ProgressEvent): void => {
    arrived.part ||= event.type === "bytes";
    arrived.whole ||= event.type === "done" || event.type === "mounted";
    reporter.onEvent(event);
  };
  try {
    const moved = await copyAll(
      pairs,
      defined({
        signal,
        onEvent,
        platforms,
        dryRun: options.dryRun === true,
        foreignLayers: options.allowNondistributableArtifacts === true || foreignLayers,
        referrers: options.referrers === true,
        verify: options.verify === true,
        force: options.force === true,
        jobs: options.jobs,
        layers,
      }),
    );
    const kept = keptOf(pairs, arrived);
    return kept === undefined ? moved : { ...moved, outcomes: moved.outcomes.map((each) => goingOn(each, kept)) };
  } catch (error) {
    const kept = keptOf(pairs, arrived);
    throw signal.aborted && kept !== undefined ? new Interrupted(error, kept) : error;
  }
};

/** What stays at the targets of what came, in words: no more than all of them promise. */
const keptOf = (
  pairs: readonly CopyPair[],
  { part, whole }: { readonly part: boolean; readonly whole: boolean },
): string | undefined => {
  const promised = pairs.map(({ target: { store } }) => (keepsArrived(store) ? store.keepsArrived : undefined));
  if ((!part && !whole) || promised.includes(undefined)) return undefined;
  if (!promised.includes("whole")) return "what arrived is kept, and the same command goes on with it";
  if (whole) return "what arrived whole is kept, and the same command goes on with it";
  return "the same command goes on with what the registry has kept of it";
};

/** What the network or a full disk kept from coming, the same command brings. */
const goingOn = (outcome: MovedRoot, kept: string): MovedRoot => {
  const { error } = outcome;
  if (error === undefined || !(isDrayError(error, "NETWORK", "TIMEOUT", "RATE_LIMITED") || isForRoom(error)))
    return outcome;
  const said = restated(error, error.code, `${messageOf(error)}; ${kept}`, { remedy: undefined });
  return { ...outcome, error: said };
};

const isForRoom = (error: DrayError): boolean =>
  isDrayError(error, "DISK") && ["ENOSPC", "EDQUOT"].includes(errnoBehind(error) ?? "");

/**
 * Says what a copy did: on stderr in a sentence, on stdout as JSON if asked to, and for a dry run also in words.
 * @param began in milliseconds of `performance.now()`
 * @throws DrayError what failed: the error of the one root, or `PARTIAL` when others were done.
 */
export const reportMoved = async (
  { options, out, reporter }: Call<MovingOptions>,
  { outcomes, ...counts }: Moved,
  verb: "copied" | "pulled" | "pushed" | "saved",
  began: number,
): Promise<void> => {
  const { dryRun = false } = options;
  const failed = outcomes.filter((outcome) => outcome.error !== undefined);
  const [only] = outcomes;
  if (options.output === "json") await out.line(document({ dryRun, ...counts, roots: outcomes.map(rootOf) }));
  else if (dryRun) for (const outcome of outcomes) await out.line(planned(outcome));
  if (outcomes.length === 1 && only?.error !== undefined) throw only.error;
  // A stream that ended is the end of every image that was to go into it.
  const cut = failed.find(({ error }) => isReaderGone(error));
  if (cut?.error !== undefined) throw cut.error;
  for (const { pair, error } of failed) reporter.warn(`${pair.source.location}: ${error && messageOf(error)}`);
  const { leftOut } = counts;
  if (leftOut > 0)
    reporter.warn(
      `${plural(leftOut, "layer")} ${leftOut === 1 ? "lies" : "lie"} elsewhere by licence and ${dryRun ? "would be" : leftOut === 1 ? "was" : "were"} left out; --allow-nondistributable-artifacts takes such layers along`,
    );
  const what =
    only !== undefined && outcomes.length === 1
      ? `${only.pair.source.location} to ${only.pair.target.location}: ${only.root?.digest}`
      : plural(outcomes.length - failed.length, "image");
  const words = `${dryRun ? "would have " : ""}${verb} ${what} (${inWords(counts)}; ${formatDuration(performance.now() - began)})`;
  reporter.summary(words, { ...counts, failed: failed.length, dryRun });
  if (failed.length === 0) return;
  if (failed.length < outcomes.length)
    throw new DrayError(
      "PARTIAL",
      `${failed.length} of ${plural(outcomes.length, "image")} failed; run the same again to try these once more`,
    );
  throw failed[0]?.error ?? new DrayError("PARTIAL", "nothing was done");
};

const inWords = ({ copied, mounted, skipped, bytes, resumed }: CopyCounts): string =>
  [
    `${copied} moved, ${formatBytes(bytes)}`,
    ...(resumed === 0 ? [] : [`${formatBytes(resumed)} resumed`]),
    ...(mounted === 0 ? [] : [`${mounted} mounted`]),
    ...(skipped === 0 ? [] : [`${skipped} there already`]),
  ].join("; ");

const planned = ({ pair, root, error }: MovedRoot): string =>
  printable(
    `${pair.source.location} -> ${pair.target.location}: ${root?.digest ?? `error: ${error && messageOf(error)}`}`,
  );

const rootOf = ({ pair, root, error }: MovedRoot): Readonly<Record<string, unknown>> => ({
  source: pair.source.location,
  destination: pair.target.location,
  digest: root?.digest,
  mediaType: root?.mediaType,
  size: root?.size,
  error: error && { code: error.code, message: messageOf(error) },
});
