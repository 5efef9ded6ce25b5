import { type Candidate, isCandidate, type LeftOut, type Policy } from "../policy/index.ts";
import { isCommit, newestRelease, type Version } from "../version/index.ts";

/**
 * The same policy for somebody who runs a tag already: what is left are tags that are newer, of the same flavour (`-alpine`), and as exact, since who
 * runs `7` is not told of `7.0.15`, which it stands for. A pre-release may go on to later ones of the same release. A tag that has no place in the
 * order, such as `latest`, is followed by itself alone: what it stands for may change. Where time is the order, what runs stays among the tags: if it
 * is chosen, nothing is newer.
 * @example const newer = newerThan(await readPolicy({ semver: { range: "^7.0" } }), "7.0.14-alpine");
 */
export const newerThan = (policy: Policy, running: string): Policy => {
  if (policy.isByTime || policy.document.tag !== undefined) return policy;
  const own = placed(policy, running);
  if (own === undefined)
    return {
      ...policy,
      judge: (tag) =>
        tag === running
          ? { tag, place: { value: tag, key: tag, flavour: "", numbers: 0 } }
          : { code: "other-tag", text: `cannot be compared with ${running}, which has no place in the order` },
    };
  const { flavour, numbers, prerelease = "", series } = own.place;
  return {
    ...policy,
    judge: (tag) => {
      const judged = policy.judge(tag, flavour);
      const found = isCandidate(judged) || prerelease === "" ? judged : laterPrerelease(own, tag, judged);
      if (!isCandidate(found)) return found;
      const { place } = found;
      if (place.series !== series) return { code: "flavour", text: `is of another series than ${running}`, place };
      if (place.numbers !== numbers)
        return {
          code: "other-precision",
          text: `says a version in ${place.numbers} numbers, and ${running} in ${numbers}`,
          place,
        };
      const isNewer = policy.compareAge(found, own) < 0 && !isUnordered(place.version, own.place.version);
      return tag !== running && isNewer
        ? found
        : { code: "not-newer", text: tag === running ? "is what runs" : `is not newer than ${running}`, place };
    },
  };
};

/** Where a tag stands, also where the policy would not take it: what runs may be out of range. */
const placed = (policy: Policy, tag: string): Candidate | undefined => {
  const judged = policy.judge(tag);
  if (isCandidate(judged)) return judged;
  return judged.place === undefined ? undefined : { tag, place: judged.place };
};

/** Who runs a pre-release has asked for those of that release; a number alone (`7.6.0-1-ubi8`) is the count of a package, and
 * a commit alone that of a build, which each release has. */
const laterPrerelease = (own: Candidate, tag: string, judged: LeftOut): Candidate | LeftOut => {
  const [a, b] = [own.place.version, judged.place?.version];
  if (judged.code !== "prerelease" || judged.place === undefined || a === undefined || b === undefined) return judged;
  const areCounts = [a, b].every((version) => /^[0-9.]+$/.test(version.prerelease));
  return isSameRelease(a, b) || areCounts || areCommits(a, b) ? { tag, place: judged.place } : judged;
};

const isSameRelease = (a: Version, b: Version): boolean =>
  newestRelease({ ...a, prerelease: "" }, { ...b, prerelease: "" }) === 0;

/** Digits alone are a date or a count, and have an order. */
const areCommits = (a: Version, b: Version): boolean =>
  [a, b].every(({ prerelease }) => isCommit(prerelease) && /[a-f]/.test(prerelease));

/** Two commits of one release, which are in no order. */
const isUnordered = (a: Version | undefined, b: Version | undefined): boolean =>
  a !== undefined && b !== undefined && areCommits(a, b) && isSameRelease(a, b);
