import { isDrayError } from "dray/errors";
import type { KeyedRwLock, Yielding } from "dray/internal/async";
import { type Digest, isRepository } from "dray/oci";
import type { DeletionContext } from "../deletion/index.ts";
import { repositoriesRoot } from "../distribution-tree/index.ts";
import type { Leases } from "../leases/index.ts";
import type { Uploads } from "../uploads/index.ts";
import type { DigestSet } from "./digest-set.ts";
import type { Reachability } from "./reachability.ts";
import type { Decision } from "./types.ts";

/** What garbage collection needs of a registry. */
export interface CollectorContext extends DeletionContext {
  readonly locks: KeyedRwLock;
  readonly leases: Leases;
  readonly uploads: Uploads;
  /** By `repository\0tag`. Taken after the locks of digests. */
  readonly tagLocks: KeyedRwLock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What one run of garbage collection has at hand, and what it remembers. */
export interface Run extends CollectorContext {
  readonly dryRun: boolean;
  /** Milliseconds for which an upload keeps what lies in its repository; `undefined`: as the registry is set. */
  readonly lease: number | undefined;
  /** Milliseconds. */
  readonly grace: number;
  readonly untagged: number | undefined;
  /** Milliseconds after which an upload that nobody added to goes. */
  readonly uploadAge: number;
  readonly yielding: Yielding;
  readonly signal: AbortSignal | undefined;
  readonly decide: (decision: Decision) => void;
  /** What uses what, once the manifests that go are gone. */
  readonly reachability: Reachability;
  /** Digests that a link in some repository keeps, and what the links stand for. */
  readonly linked: DigestSet;
  /** Blobs that were linked since the run began. */
  readonly linkedSince: ReadonlySet<Digest>;
  /** States of `_layers` by repository, from before its links were looked at. */
  readonly seen: Map<string, string>;
  readonly unreadable: { readonly repository: string; readonly digest: Digest }[];
  /** What could not be read or removed, and why no blob may go. */
  readonly troubles: { count: number; unswept: string | undefined };
  readonly tellsHeld: boolean;
  readonly held: { readonly repository: string; readonly reason: string; readonly remedy: string }[];
}

/** Why nothing may go from a repository, and what ends that. */
export interface Held {
  readonly reason: string;
  /** What cannot be read, where that is known. */
  readonly digest?: Digest;
  readonly remedy: string;
}

/**
 * Does one piece of work; what cannot be read or removed is told with its path, counted, and passed. What it was about stays.
 * @returns whether it was done
 */
export const passing = async (run: Run, work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch (error) {
    trouble(run, error);
    return false;
  }
};

/** @throws what is no failure of the store */
export const trouble = ({ troubles, onNotice }: Run, error: unknown): void => {
  if (!isDrayError(error, "DISK")) throw error;
  if (++troubles.count <= mostTold) onNotice({ level: "warn", message: `gc passes over what fails: ${error.message}` });
};

/** The same, where links may be that nobody could see: then no blob goes, since any may be somebody's. */
export const blind = (run: Run, error: unknown): void => {
  trouble(run, error);
  run.troubles.unswept ??= (error as Error).message;
};

/**
 * The same for a folder below `repositories` that cannot be listed. What can be no repository by its name, as a file server's `.snapshot`,
 * is nobody's place for links.
 */
export const unlisted =
  (run: Run) =>
  (path: string, error: unknown): void => {
    const name = path.slice(repositoriesRoot.length + 1);
    (name === "" || isRepository(name) ? blind : trouble)(run, error);
  };

/** Troubles of one run that are told one by one. */
const mostTold = 20;

/** Whether something has been there for longer than the grace. */
export const isOld = ({ now, grace }: Run, time: number): boolean => now() - time > grace;

/** Remembers what a link keeps: its digest, and what that stands for. */
export const keep = ({ linked }: Run, digest: Digest, target: Digest | undefined): void => {
  linked.add(digest);
  if (target !== undefined) linked.add(target);
};

export const promised = "leased: it was promised to a client lately";
export const notReconciled = "the index is just being put right";
/** `2 hours ago`; clocks that differ by a little tell no future. */
export const ago = ({ now }: Run, time: number): string =>
  time - now() > skew
    ? `at ${new Date(time).toISOString()}: its time lies in the future, where a wrong clock set it, and touch puts it right`
    : `${duration(now() - time)} ago`;
export const writtenAgo = (run: Run, time: number): string => `written ${ago(run, time)}`;
export const tooYoung = (run: Run, time: number): string =>
  `${writtenAgo(run, time)}, which is within the grace of ${duration(run.grace)}`;

/** Milliseconds by which the clock of a file server may be ahead. */
const skew = 60_000;

const units: readonly (readonly [milliseconds: number, name: string])[] = [
  [86_400_000, "days"],
  [3_600_000, "hours"],
  [60_000, "minutes"],
];

/** In whole units that are small enough to say something: `49 hours`, `3 days`. */
export const duration = (milliseconds: number): string => {
  const [length, name] = units.find(([unit]) => milliseconds >= 2 * unit) ?? [1000, "seconds"];
  return `${Math.max(0, Math.floor(milliseconds / length))} ${name}`;
};
