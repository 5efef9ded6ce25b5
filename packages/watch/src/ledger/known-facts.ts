import type { ImageFacts } from "@dray/policy";
import type { Statements } from "@dray/service/sqlite";
import { defined } from "dray/internal/defined";
import { type Platform, parsePlatform } from "dray/oci";
import type { ImageEntry } from "../entry/index.ts";
import { entryOf, type TagState } from "../state/index.ts";
import { timesOf } from "./kept-times.ts";
import { type ReleaseTime, releaseTime } from "./release-time.ts";

/** What the file has of the image behind a tag. */
export interface KnownFacts {
  /** What policies ask of it. `error` says why it cannot be read; a tag that nobody has looked at has none, and counts from its first sight. */
  readonly facts: ImageFacts;
  /** When it was released, and who says so. */
  readonly released?: ReleaseTime;
  /** What was read of it. */
  readonly entry?: ImageEntry;
}

/**
 * What the file has of the image behind a tag of a repository.
 * @param repository its canonical name
 * @example const { facts, released } = knownFacts(file.statements, "docker.io/library/alpine", tag, Date.now());
 */
export const knownFacts = (on: Statements, repository: string, tag: TagState, now: number): KnownFacts => {
  const { digest, problem, firstSeen } = tag;
  const entry = digest && entryOf(on, digest);
  const { info, excluded } = entry ?? {};
  const known = digest === undefined ? { "first-seen": firstSeen } : timesOf(on, repository, digest);
  const released = releaseTime({ info, known, now });
  const error = problem?.message ?? excluded?.message;
  const platforms = info?.platforms?.flatMap(({ platform }) => platformIn(platform));
  return defined<KnownFacts>({
    facts: defined<ImageFacts>({ time: released?.time, platforms, error }),
    released,
    entry,
  });
};

const platformIn = (text: string): Platform[] => {
  const { architecture, ...others } = parsePlatform(text);
  return architecture === undefined ? [] : [{ ...others, architecture }];
};
