import { DrayError } from "dray/errors";

/** An empty name, `.` or `..` between slashes or at an end: also an absolute path and none at all. */
const wrong = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The last defence: whoever makes a path has checked the names in it. What leads out of the store, or is written in two ways, is
 * refused whatever the system would make of it.
 * @throws DrayError `LOCATION_INVALID`
 */
export const checkPath = (path: string): void => {
  if (wrong.test(path) || path.includes("\0"))
    throw new DrayError("LOCATION_INVALID", `"${path}" is no path inside a registry's storage`);
};

/** The directory a path lies in; `""` at the top. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
