import { DrayError } from "dray/errors";

const allowed = /^[a-z0-9._*?/-]+$/;

/**
 * Patterns over names of repositories:
 * - `*` is any text within a component, `?` one character of it;
 * - `**`, a component of its own, is any number of components: `public/**` is `public` and all below, `**` is everything.
 *
 * A pattern is about a whole name, and nothing else in it is special.
 * @throws DrayError `CONFIG_INVALID` for text that can match no repository
 */
export const repositoryPatterns = (patterns: readonly string[]): ((repository: string) => boolean) => {
  const matchers = patterns.map(compile);
  // A name that was asked for once is asked for again, layer by layer.
  let last: { readonly name: string; readonly matches: boolean } | undefined;
  return (name) => {
    if (matchers.length === 0) return false;
    if (last?.name !== name) last = { name, matches: matchers.some((matches) => matches(name.split("/"))) };
    return last.matches;
  };
};

type Components = readonly string[];

const compile = (pattern: string): ((name: Components) => boolean) => {
  const parts = pattern.split("/");
  const wrong = !allowed.test(pattern) || parts.some((part) => part === "" || (part.includes("**") && part !== "**"));
  if (wrong) throw new DrayError("CONFIG_INVALID", unreadable(pattern));
  const tests = parts.map((part) => (part === "**" ? part : componentTest(part)));
  return (name) => matchComponents(tests, name);
};

const unreadable = (pattern: string): string =>
  `${JSON.stringify(pattern.slice(0, 200))} is no pattern for names of repositories: those are lower case and without a slash at either end, ` +
  "* stands for text within a component, and ** is a component of its own";

type Test = "**" | ((component: string) => boolean);

/** Remembers where the last `**` stood and tries again from there, so that the time is bounded by the product of the lengths. */
const matchComponents = (tests: readonly Test[], name: Components): boolean =>
  wildcard(
    tests.length,
    name.length,
    (test) => tests[test] === "**",
    (test, part) => {
      const one = tests[test];
      return typeof one === "function" && one(name[part] ?? "");
    },
  );

const componentTest = (pattern: string): ((component: string) => boolean) => {
  if (!/[*?]/.test(pattern)) return (component) => component === pattern;
  return (component) =>
    wildcard(
      pattern.length,
      component.length,
      (at) => pattern[at] === "*",
      (at, to) => pattern[at] === "?" || pattern[at] === component[to],
    );
};

/** Both levels are the same question: a star takes any number of what the other marks take one of. */
const wildcard = (
  marks: number,
  things: number,
  isStar: (mark: number) => boolean,
  matches: (mark: number, thing: number) => boolean,
): boolean => {
  let [mark, thing, star, taken] = [0, 0, -1, 0];
  while (thing < things) {
    if (mark < marks && isStar(mark)) {
      star = mark++;
      taken = thing;
    } else if (mark < marks && matches(mark, thing)) {
      mark++;
      thing++;
    } else if (star >= 0) {
      mark = star + 1;
      thing = ++taken;
    } else return false;
  }
  while (mark < marks && isStar(mark)) mark++;
  return mark === marks;
};
