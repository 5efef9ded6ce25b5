import { isCandidate, readPolicy, tagFilter } from "@dray/policy";
import type { Selection } from "@dray/watch";
import { defined } from "dray/internal/defined";

/** Which tags were asked for. */
export interface SelectionOptions {
  readonly match?: readonly string[];
  readonly exclude?: readonly string[];
}

/** What was selected, as the file keeps it; the policy is one of a service. */
interface Kept extends SelectionOptions {
  readonly policy?: object;
}

const keptIn = (text: string): Kept => (text === "" ? {} : (JSON.parse(text) as Kept));

/**
 * Which tags of a repository are looked into. What was said last holds until something else is said, so it is kept as text.
 * @throws DrayError `USAGE` for a pattern that is none
 */
export const selectionOf = async ({ match, exclude }: SelectionOptions, before: string): Promise<Selection> => {
  const isSaid = match !== undefined || exclude !== undefined;
  const choice: Kept = isSaid ? defined<Kept>({ match, exclude }) : keptIn(before);
  const named = await tagFilter({ match: choice.match ?? [], exclude: choice.exclude ?? [] });
  const policy = choice.policy === undefined ? undefined : await readPolicy(choice.policy);
  return {
    text: isSaid ? JSON.stringify(choice) : before,
    wants: policy === undefined ? named : (tag) => named(tag) && isCandidate(policy.judge(tag)),
  };
};

/** What is selected, for people. */
export const selectionText = (text: string): string => {
  const { match = [], exclude = [], policy } = keptIn(text);
  const without = exclude.length === 0 ? "" : `not ${exclude.join(", ")}`;
  const parts = [match.join(", "), without, policy === undefined ? "" : `policy ${JSON.stringify(policy)}`].filter(
    Boolean,
  );
  return parts.length === 0 ? "every tag" : parts.join(", ");
};
