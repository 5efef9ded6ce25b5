import { DrayError } from "dray/errors";
import { nearest } from "dray/internal/nearest";
import type { Expression } from "./expression.ts";

/** Takes a value out of a tag; `undefined` where the tag does not fit. */
export type Extract = (tag: string) => string | undefined;

/**
 * What a tag is compared by: `$1`, `$name`, `${name}` stand for groups of the expression, `$$` for a dollar, all else for itself.
 * @throws DrayError `USAGE` for a group that the expression does not have
 */
export const extraction = (found: Expression, template: string): Extract => {
  const parts = [...template.matchAll(/\$(?:(\$)|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\}|)|[^$]+/g)].map(
    ([whole, dollar, bare, braced]) => {
      const group = bare ?? braced;
      if (!whole.startsWith("$")) return { text: whole };
      if (dollar !== undefined) return { text: "$" };
      if (group === undefined) throw refused(template, 'a "$" alone stands for nothing; write "$$" for a dollar');
      if (!isGroup(found, group))
        throw refused(template, `"${whole}" is no group of "${found.text}"${groupsOf(found, group)}`);
      return { group };
    },
  );
  return (tag) => {
    const groups = found.match(tag);
    if (groups === undefined) return undefined;
    return parts.map(({ text, group }) => (group === undefined ? text : (groups(group) ?? ""))).join("");
  };
};

const refused = (template: string, why: string): DrayError => new DrayError("USAGE", `extract "${template}": ${why}`);

const isGroup = ({ groups, names }: Expression, group: string): boolean =>
  /^[0-9]+$/.test(group) ? Number(group) <= groups : names.includes(group);

const groupsOf = ({ groups, names }: Expression, group: string): string => {
  if (groups === 0) return ", which has none: put what you want of it between ( and )";
  // Go takes the longest name: "$1x" is the group "1x".
  const digits = /^[0-9]+/.exec(group)?.[0];
  const close = digits !== undefined && digits !== group ? `{${digits}}` : nearest(group, names);
  if (close !== undefined) return `; did you mean "$${close}"?`;
  return `, which has ${[...Array.from({ length: groups }, (_, i) => `$${i + 1}`), ...names.map((name) => `$${name}`)].join(", ")}`;
};
