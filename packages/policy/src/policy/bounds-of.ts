import type { Place } from "../orders/index.ts";
import { readRange } from "../version/index.ts";
import { at } from "./check.ts";
import type { PolicyDocument } from "./document.ts";
import type { LeftOut } from "./left-out.ts";

/** What of an order is wanted. */
export const boundsOf = async ({ semver, calver }: PolicyDocument): Promise<(place: Place) => LeftOut | undefined> => {
  if (calver !== undefined) {
    return ({ prerelease }) =>
      prerelease === undefined || prerelease === "" || calver.prerelease === true ? undefined : beforeRelease;
  }
  const { range, prerelease = false } = semver ?? {};
  const isIn = await at("semver.range", () => readRange(range ?? "*", { prerelease }));
  const isInOtherwise = await readRange(range ?? "*", { prerelease: true });
  return ({ version }) => {
    if (version === undefined || isIn(version)) return undefined;
    return version.prerelease !== "" && isInOtherwise(version)
      ? beforeRelease
      : { code: "range", text: `is outside of ${range ?? "*"}` };
  };
};

const beforeRelease: LeftOut = { code: "prerelease", text: "is a pre-release, and those were not asked for" };
