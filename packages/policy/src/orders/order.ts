import type { Version } from "../version/index.ts";

/** Why a tag has no place in an order. */
export interface Misfit {
  readonly code: "build" | "not-version" | "not-calver" | "not-number";
  readonly text: string;
}

/** A place in an order: whatever compares, and what is read from it besides. */
export interface Place {
  readonly value: string;
  readonly key: unknown;
  /** Of orders by version. */
  readonly version?: Version;
  /** What says that it comes before a release: `rc.1`; empty for a release, and not there where an order knows none. */
  readonly prerelease?: string;
  /** What stands behind a version or date: `alpine`. */
  readonly flavour: string;
  /** The word before a date, in lower case: `jammy`. Those of two words are not compared with each other. Not there where it says nothing, as `v` does. */
  readonly series?: string;
  /** How many numbers were written, where that says how exact a tag is. */
  readonly numbers: number;
}

/** An order of tags by what their names say. */
export interface Order {
  /** Its place, or why it has none. */
  readonly read: (value: string) => Place | Misfit;
  /** Newest first. */
  readonly compare: (a: Place, b: Place) => number;
}

/** Whether a tag has a place. */
export const isPlace = (read: Place | Misfit): read is Place => "key" in read;
