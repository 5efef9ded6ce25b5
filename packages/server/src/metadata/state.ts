import type { FileVersions } from "./file-versions.ts";

/** What the reconciler remembers of a repository. */
export interface ReconcilerState {
  readonly repository: string;
  /** Whether the metadata said what the tree said, when it was looked at last, and nothing failed since. */
  reconciled: boolean;
  exists: boolean;
  /** The state of its directories that the metadata answers to; our own writes carry it on. */
  known: FileVersions | undefined;
  /** `known` was taken so soon after a change that a later one may hide behind the same times. */
  racy: boolean;
  /** When the directories were compared last. */
  checked: number;
  /** Counts what spoils a scan that is under way. */
  version: number;
  /** Writes of ours that are under way, and all that ever were. */
  writing: number;
  writes: number;
  /** The comparison that the first of them makes for all. */
  before: Promise<void> | undefined;
  /** The look that is under way. */
  running: Promise<void> | undefined;
}

export const newState = (repository: string): ReconcilerState => ({
  repository,
  reconciled: false,
  exists: false,
  known: undefined,
  racy: false,
  checked: Number.NEGATIVE_INFINITY,
  version: 0,
  writing: 0,
  writes: 0,
  before: undefined,
  running: undefined,
});
