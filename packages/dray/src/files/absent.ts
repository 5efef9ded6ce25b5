import { statSync } from "node:fs";

/**
 * Whether nothing lies at a path, as far as can be told: a look that takes microseconds, for what is hardly ever there. Where something is, or may be, it is
 * read as ever; to ask for that first would start the pool of threads, which takes as long as many an answer of a registry.
 */
export const isAbsent = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
};
