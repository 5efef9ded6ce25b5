import { DrayError, reasonOf } from "dray/errors";

/** An expression that was read. */
export interface Expression {
  readonly text: string;
  /** Whether it is found somewhere in a text. */
  readonly test: (text: string) => boolean;
  /** Values of the groups where it is found, the whole first; `undefined` where it is not. */
  readonly match: (text: string) => ((group: string) => string | undefined) | undefined;
  /** How many groups it has, and their names. */
  readonly groups: number;
  readonly names: readonly string[];
}

/**
 * Reads an expression in the syntax of RE2, as Go and Flux have it: it takes time linear in the text, and so has no `(?!…)`, `(?=…)` and `\1`. The library for
 * it is loaded by the first one.
 * @throws DrayError `USAGE` for what is no expression
 * @example (await expression("^v(?P<version>.*)$")).test("v1.2")
 */
export const expression = async (text: string): Promise<Expression> => {
  const { RE2JS } = await import("re2js");
  try {
    const read = RE2JS.compile(text);
    return {
      text,
      test: (each) => read.test(each),
      match: (each) => {
        const found = read.matcher(each);
        if (!found.find()) return undefined;
        return (group) => found.group(/^[0-9]+$/.test(group) ? Number(group) : group) ?? undefined;
      },
      groups: read.groupCount(),
      names: Object.keys(read.namedGroups()),
    };
  } catch (error) {
    const why = reasonOf(error).replace(/^error parsing regexp: /, "");
    throw new DrayError("USAGE", `expression "${text}": ${why}${hintFor(text)}`, { cause: error });
  }
};

const hintFor = (text: string): string =>
  /\(\?<?[!=]/.test(text)
    ? "; expressions here take linear time, and look neither ahead nor behind"
    : /\\[1-9]/.test(text)
      ? "; expressions here take linear time, and refer to no earlier group"
      : "";
