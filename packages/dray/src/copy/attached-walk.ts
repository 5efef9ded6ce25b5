import { forEachConcurrent } from "../async/index.ts";
import { type Attached, attachedTo, type ReadableStore } from "../content/index.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type Descriptor, type Digest } from "../oci/index.ts";

/** Signatures of signatures of attestations … A chain is a few long; one that is invented is not followed further. */
const deepest = 16;
/** What refers to one image and all below it. */
const most = 20_000;
/** Subjects whose referrers are asked for at the same time. */
const subjectsAtOnce = 16;

export interface AttachedWalk {
  readonly signal: AbortSignal;
  /** Takes what was found along, and tells which manifests that has brought: they may have referrers as well. */
  readonly take: (attached: Attached) => Promise<readonly Descriptor[]>;
  /** Hears of what could not be listed or taken along; the others go on. */
  readonly onFault: (what: string, error: DrayError) => void;
}

/**
 * Walks what is attached to manifests, and to what is attached: side by side, level after level, each subject once. One that is bad keeps
 * none of the others; a chain or a list without end is left where it has become absurd.
 */
export const walkAttached = async (
  source: ReadableStore,
  subjects: readonly Descriptor[],
  { signal, take, onFault }: AttachedWalk,
): Promise<void> => {
  const known = new Set<Digest>();
  const fresh = (found: readonly Descriptor[]): Descriptor[] =>
    found.filter(({ digest }) => !known.has(digest) && known.add(digest));
  const told = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throwIfAborted(signal);
      if (!isDrayError(error) || error.code === "ABORTED") throw error;
      onFault(what, error);
    }
  };
  let count = 0;
  let level = fresh(subjects);
  for (let depth = 0; level.length > 0; depth++) {
    const next: Descriptor[] = [];
    if (depth > deepest || count > most) {
      const why =
        count > most
          ? `more than ${most} manifests refer to it and what it holds`
          : `referrers refer to referrers more than ${deepest} times`;
      onFault(`what refers to ${level[0]?.digest}`, new DrayError("LIMIT_EXCEEDED", `${why}; the rest is left out`));
      return;
    }
    await forEachConcurrent(level, subjectsAtOnce, (subject) =>
      told(`what refers to ${subject.digest}`, async () => {
        throwIfAborted(signal);
        for await (const attached of attachedTo(source, subject, { signal })) {
          if (++count > most) return;
          await told(`${attached.descriptor.digest}, which refers to ${subject.digest}`, async () => {
            next.push(...fresh(await take(attached)));
          });
        }
      }),
    );
    // A limit that was met in the middle is told at the next turn.
    level = next.length === 0 && count > most ? level : next;
  }
};
