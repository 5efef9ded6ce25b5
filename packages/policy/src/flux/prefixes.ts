import { DrayError } from "dray/errors";
import { nearest } from "dray/internal/nearest";
import type { PolicyDocument } from "../policy/index.ts";

const prefixes = ["glob", "semver", "regexp", "regex"] as const;

/**
 * A pattern as flux v1 writes it, as a policy: `semver:~1.2`, `regexp:^v` and `regex:^v`, `glob:1.*`, which is meant where nothing is said. Globs and expressions
 * choose by the time of the image, as there; `glob:latest` is the tag latest.
 * @throws DrayError `USAGE` for a prefix that there is not; what stands behind it `readPolicy` checks
 * @example fluxPattern("semver:^1") // { semver: { range: "^1" } }
 */
export const fluxPattern = (text: string): PolicyDocument => {
  const colon = text.indexOf(":");
  const prefix = colon < 0 ? "glob" : text.slice(0, colon);
  const pattern = text.slice(colon + 1);
  if (prefix === "semver") return { semver: { range: pattern } };
  if (prefix === "regexp" || prefix === "regex") return { filterTags: { pattern }, created: {} };
  if (prefix !== "glob") {
    // No tag has a colon, so it is no glob.
    const close = nearest(prefix, prefixes);
    const remedy =
      close === undefined ? `expected ${prefixes.map((each) => `${each}:`).join(", ")}` : `did you mean ${close}:?`;
    throw new DrayError("USAGE", `pattern "${text}": there is no prefix "${prefix}:"; ${remedy}`);
  }
  if (pattern === "latest") return { tag: "latest" };
  return pattern === "*" ? { created: {} } : { filterTags: { glob: pattern }, created: {} };
};
