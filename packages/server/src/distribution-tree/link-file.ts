import { type Digest, isDigest } from "dray/oci";

/** Tells whether a file or directory is still the one that was seen. */
export interface FileVersion {
  readonly mtime: number;
  readonly ino: number;
}

export const sameVersion = (a: FileVersion | undefined, b: FileVersion | undefined): boolean =>
  a?.mtime === b?.mtime && a?.ino === b?.ino;

/**
 * Whether something may have changed after a look and left the same time: file systems count in ticks of a clock that is up to
 * 10 ms coarse, some in whole seconds or two.
 * @param at when it was looked at
 */
export const isRacy = (version: FileVersion | undefined, at: number): boolean =>
  version !== undefined && Math.abs(at - version.mtime) <= (version.mtime % 1000 === 0 ? 2020 : 20);

/** What a tag stands for, and the state of the file that says so. */
export interface TagLink {
  readonly digest: Digest;
  readonly version: FileVersion;
}

/** That of what was looked at. */
export const versionOf = (facts: { mtime: number; ino: number } | undefined): FileVersion | undefined =>
  facts === undefined ? undefined : { mtime: facts.mtime, ino: facts.ino };

/** The digest in a link file: bare, or with white space around it. */
export const linked = (bytes: Uint8Array | undefined): Digest | undefined => {
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes).trim();
  return isDigest(text) ? text : undefined;
};
