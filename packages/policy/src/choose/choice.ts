import type { LeftOut } from "../policy/index.ts";
import type { ImageFacts, Refusal } from "./facts.ts";

/** Why a tag was chosen, or was not. */
export interface Verdict {
  readonly tag: string;
  /**
   * `chosen`; `older`: it fits, and another is newer; `same-value`: the chosen one has the same value and comes first by its name; `not-asked`: nothing was chosen
   * before it could be looked at; else why it was left out.
   */
  readonly code: "chosen" | "older" | "same-value" | "not-asked" | LeftOut["code"] | Refusal["code"];
  /** A sentence: `1.2.3 is outside of ^2.` */
  readonly text: string;
  /** What it is compared by, where that is not the tag itself. */
  readonly value?: string;
  /** When it will be old enough, in milliseconds since 1970. */
  readonly until?: number;
}

/** Tags that are compared by the same value, so that the value does not say which of them is meant. */
export interface Collision {
  readonly value: string;
  /** The first is taken before the others. */
  readonly tags: readonly string[];
}

/** What became of a question for the newest tag. */
export interface Choice {
  /** `undefined`: no tag fits; `nearest` says what comes near. */
  readonly tag?: string;
  /** What is known of its image, as far as the policy had it asked. */
  readonly facts?: ImageFacts;
  /** A least age is wanted, and no time is known: the image was taken all the same, so that it is not held back for ever. */
  readonly isAgeUnknown: boolean;
  /** How many tags there were. */
  readonly tags: number;
  /** How many were left out by their names, by why. */
  readonly leftOut: Readonly<Partial<Record<LeftOut["code"], number>>>;
  /** Newer than what was chosen, and refused for their images; the newest first. */
  readonly refused: readonly Verdict[];
  /** Where nothing was chosen: a few tags that come near, and why each is none. */
  readonly nearest: readonly Verdict[];
  /** Only where values are taken out of tags. */
  readonly collisions: readonly Collision[];
  /** Why this tag was chosen, or was not. */
  readonly why: (tag: string) => Verdict;
}
