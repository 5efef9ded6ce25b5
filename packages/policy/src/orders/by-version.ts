import { isBuildName, newestOfVersions, type ReadVersionOptions, readVersion, type Version } from "../version/index.ts";
import type { Order } from "./order.ts";

/** Newest version first. */
export const byVersion = (options: ReadVersionOptions): Order => ({
  read: (value) => {
    const version = readVersion(value, options);
    if (version !== undefined) {
      const { prerelease, flavour, numbers } = version;
      return { value, key: version, version, prerelease, flavour, numbers };
    }
    if (isBuildName(value)) return { code: "build", text: "is a build, a date or a commit, and no version" };
    const loose = options.strict === true ? readVersion(value) : undefined;
    return {
      code: "not-version",
      text: loose === undefined ? "is no version" : "is a version only where they are read loosely",
    };
  },
  compare: (a, b) => newestOfVersions(a.key as Version, b.key as Version),
});
