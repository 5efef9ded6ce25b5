import { DrayError } from "dray/errors";
import picomatch from "picomatch";

/** Whether a text fits. */
export type Fits = (text: string) => boolean;

/** Stars beside braces and brackets that are still tried in time on a text of 128 letters. */
const mostStars = 2;

/**
 * A glob over the whole text: `*` any run of characters, `?` one, `[0-9]` one of these, `{edge,latest}` either. With stars and question marks alone it
 * takes time linear in the text; others are bounded.
 * @throws DrayError `USAGE` for a glob that is none
 */
export const glob = (pattern: string): Fits => {
  if (!/[[\]{}()!\\]/.test(pattern) && pattern !== "") return (text) => fitsStars(pattern, text);
  const refuse = (why: string): never => {
    throw new DrayError("USAGE", `glob "${pattern}": ${why}`);
  };
  if (pattern === "") return refuse("an empty one fits nothing; expected one such as 1.* or *-alpine");
  // Between and behind round brackets a plus repeats as a star does.
  const repeats = /\(/.test(pattern) ? /[*+]+/g : /\*+/g;
  if ((pattern.match(repeats) ?? []).length > mostStars && /[{[(]/.test(pattern))
    return refuse(`more than ${mostStars} stars beside braces or brackets may take for ever; write an expression`);
  if (/\)[*+]/.test(pattern)) return refuse("brackets that repeat may take for ever; write an expression");
  const { source } = picomatch.makeRe(pattern, { dot: true, nonegate: true, bash: true });
  if (source === "$^") return refuse("a bracket, a brace or a backslash in it is not closed");
  return picomatch(pattern, { dot: true, nonegate: true, bash: true });
};

/** Goes back to the last star alone: what an earlier one could take as well makes no difference. */
const fitsStars = (pattern: string, text: string): boolean => {
  let [p, t, star, from] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") [star, from, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, from, t] = [star + 1, from + 1, from + 1];
    else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
};
