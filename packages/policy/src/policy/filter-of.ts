import { type Extract, expression, extraction, type Fits, glob, tagFilter } from "../filter/index.ts";
import { at } from "./check.ts";
import type { PolicyDocument } from "./document.ts";
import type { LeftOut } from "./left-out.ts";

/** What a policy filters before it puts tags in order. */
export interface Filter {
  readonly refuses: (tag: string) => LeftOut | undefined;
  readonly valueOf: (tag: string) => string;
  /** Whether the filter asks for what a tag has besides its version: it fits with it, and would not without. */
  readonly demands: (tag: string, flavour: string) => boolean;
}

export const filterOf = async ({ tag: only, filterTags = {} }: PolicyDocument): Promise<Filter> => {
  const globs = [filterTags.glob ?? []].flat();
  const fits: Fits[] = await at("filterTags.glob", () => globs.map(glob));
  const pattern = filterTags.pattern;
  const found = pattern === undefined ? undefined : await at("filterTags.pattern", () => expression(pattern));
  const template = filterTags.extract;
  const extract: Extract | undefined =
    found === undefined || template === undefined
      ? undefined
      : await at("filterTags.extract", () => extraction(found, template));
  const exclude = [filterTags.exclude ?? []].flat();
  const unwanted =
    exclude.length === 0 ? undefined : await at("filterTags.exclude", () => tagFilter({ match: exclude }));
  const isWanted = (tag: string): boolean =>
    (fits.length === 0 || fits.some((each) => each(tag))) && (found === undefined || found.test(tag));
  const what = [...globs, ...(pattern === undefined ? [] : [`/${pattern}/`])].join(" ");
  return {
    refuses: (tag) => {
      if (only !== undefined) return tag === only ? undefined : { code: "other-tag", text: `is not the tag ${only}` };
      if (tag.toLowerCase() === "latest" && !globs.includes(tag))
        return { code: "latest", text: "moves, and is in no order; a policy of the tag latest alone takes it" };
      if (!isWanted(tag)) return { code: "filtered", text: `does not fit ${what}` };
      return unwanted?.(tag) === true
        ? { code: "excluded", text: `fits ${exclude.join(" ")}, which is excluded` }
        : undefined;
    },
    valueOf: (tag) => extract?.(tag) ?? tag,
    demands: (tag, flavour) => {
      const place = tag.indexOf(`-${flavour}`);
      return place > 0 && !isWanted(tag.slice(0, place) + tag.slice(place + flavour.length + 1));
    },
  };
};
