import { isCandidate, type Policy, readPolicy, tagFilter } from "@dray/policy";
import { DrayError, reasonOf } from "dray/errors";
import { selects, type WatchSettings } from "../config/index.ts";
import { newestOf, type Wanted } from "../refresh/index.ts";

/** The policies of a configuration, ready to be asked. */
export interface Policies {
  /** The policy of a repository: the first whose globs fit it, else versions. */
  readonly of: (repository: string) => Policy;
  /** What is looked into of a repository: `text` tells two selections apart. */
  readonly wanted: (repository: string) => Wanted;
}

/** What policies are made of. */
type Said = Pick<WatchSettings, "policies" | "tags" | "details">;

/** Reads the policies of a configuration. @throws DrayError `CONFIG_INVALID` naming the one that cannot be used */
export const policiesOf = async ({ policies, tags, details }: Said): Promise<Policies> => {
  const read = await Promise.all(
    policies.map(async ({ name, repositories, policy }) => {
      try {
        const fits = selects({ include: repositories, exclude: [] });
        return { fits, policy: await readPolicy(policy as object), said: policy };
      } catch (error) {
        throw new DrayError("CONFIG_INVALID", `policies: ${name}: ${reasonOf(error)}`);
      }
    }),
  );
  const versions = await readPolicy({});
  const named = await tagFilter({ match: tags.include, exclude: tags.exclude }).catch((error: unknown) => {
    throw new DrayError("CONFIG_INVALID", `tags: ${reasonOf(error)}`);
  });
  // As `dray watch scan` writes it, which goes on with what is selected here.
  const textOf = (policy?: unknown): string => {
    const choice = {
      ...listed("match", tags.include),
      ...listed("exclude", tags.exclude),
      ...(policy === undefined ? {} : { policy }),
    };
    return Object.keys(choice).length === 0 ? "" : JSON.stringify(choice);
  };
  return {
    of: (repository) => read.find(({ fits }) => fits(repository))?.policy ?? versions,
    wanted: (repository) => {
      const found = read.find(({ fits }) => fits(repository));
      if (found === undefined) return { text: textOf(), wants: named, details: newestOf(details) };
      return {
        text: textOf(found.said),
        wants: (tag) => named(tag) && isCandidate(found.policy.judge(tag)),
        details: newestOf(details, found.policy),
      };
    },
  };
};

const listed = (name: string, patterns: readonly string[]): Record<string, readonly string[]> =>
  patterns.length === 0 ? {} : { [name]: patterns };
