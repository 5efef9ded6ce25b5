import { tagFilter } from "@dray/policy";
import type { Selection } from "@dray/watch";

/** Which tags were asked for. */
export interface SelectionOptions {
  readonly match?: readonly string[];
  readonly exclude?: readonly string[];
}

/**
 * Which tags of a repository are looked into. What was said last holds until something else is said, so it is kept as text.
 * @throws DrayError `USAGE` for a pattern that is none
 */
export const selectionOf = async ({ match, exclude }: SelectionOptions, before: string): Promise<Selection> => {
  const isSaid = match !== undefined || exclude !== undefined;
  const choice = isSaid ? { match, exclude } : before === "" ? {} : (JSON.parse(before) as SelectionOptions);
  const wants = await tagFilter({ match: choice.match ?? [], exclude: choice.exclude ?? [] });
  return { text: JSON.stringify(choice) === "{}" ? "" : JSON.stringify(choice), wants };
};

/** What is selected, for people. */
export const selectionText = (text: string): string => {
  const { match = [], exclude = [] } = text === "" ? {} : (JSON.parse(text) as SelectionOptions);
  const parts = [match.join(", "), exclude.length === 0 ? "" : `not ${exclude.join(", ")}`].filter(Boolean);
  return parts.length === 0 ? "every tag" : parts.join(", ");
};
