import { byDigest, byPlatform, type Matcher } from "dray/image";
import type { IndexOptions } from "./change-index.ts";

/** Which entries of an index are meant. */
export interface EntryOptions extends IndexOptions {
  readonly digest?: readonly string[];
}

/** The entries that the flags name: those of the platforms and those of the digests. `undefined` where they name none. */
export const matcherOf = ({ digest = [], platform = [] }: EntryOptions): Matcher | undefined => {
  if (digest.length === 0 && platform.length === 0) return undefined;
  const matchers = [byDigest(...digest), byPlatform(...platform)];
  return (entry) => matchers.some((matches) => matches(entry));
};
