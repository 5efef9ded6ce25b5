import { isCandidate, newestVersion, type Policy, versionedTag } from "@dray/policy";

/**
 * The newest of some tags, so many at most, for `details` of what is wanted: in the order of a policy, or as versions where none is said.
 * @example createRefresh({ file, clientFor, wanted: () => ({ text: "", wants: () => true, details: newestOf(10) }) })
 */
export const newestOf =
  (most: number, policy?: Pick<Policy, "judge" | "compare">) =>
  (tags: readonly string[]): readonly string[] => {
    const sorted =
      policy === undefined
        ? tags.map(versionedTag).sort(newestVersion)
        : tags
            .map((tag) => policy.judge(tag, ""))
            .filter(isCandidate)
            .sort(policy.compare);
    return sorted.slice(0, most).map(({ tag }) => tag);
  };
