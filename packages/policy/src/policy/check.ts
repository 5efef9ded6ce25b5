import { DrayError, errorIn } from "dray/errors";
import { nearest } from "dray/internal/nearest";
import { isObject } from "dray/oci";

/** Refuses what is said at a place in a policy. */
export const refused = (where: string, why: string): DrayError => new DrayError("USAGE", `policy: ${where} ${why}`);

/** An object with these members alone. @throws DrayError `USAGE` that names what is not known, and what may have been meant */
export const membersOf = (
  value: unknown,
  where: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> => {
  if (!isObject(value))
    throw refused(where, `is ${JSON.stringify(value)}; expected an object with ${known.join(", ")}`);
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const close = nearest(name, known);
    const remedy = close === undefined ? `known are ${known.join(", ")}` : `did you mean ${close}?`;
    throw refused(where === "" ? name : `${where}.${name}`, `is nothing that a policy has; ${remedy}`);
  }
  return value;
};

/** One of these words, in any case, as they are written here. */
export const wordOf = <W extends string>(value: unknown, where: string, words: readonly W[]): W => {
  const text = typeof value === "string" ? value.toLowerCase() : undefined;
  const found = words.find((word) => word.toLowerCase() === text);
  if (found !== undefined) return found;
  const close = text === undefined ? undefined : nearest(text, words);
  throw refused(
    where,
    `is ${JSON.stringify(value)}; ${close === undefined ? `expected ${words.join(", ")}` : `did you mean ${close}?`}`,
  );
};

export const textOf = (value: unknown, where: string): string => {
  if (typeof value === "string") return value;
  throw refused(
    where,
    `is ${JSON.stringify(value)}; expected text${typeof value === "number" ? ", between quotes" : ""}`,
  );
};

export const truthOf = (value: unknown, where: string): boolean => {
  if (typeof value === "boolean") return value;
  throw refused(where, `is ${JSON.stringify(value)}; expected true or false`);
};

export const textsOf = (value: unknown, where: string): readonly string[] =>
  Array.isArray(value) ? value.map((each, i) => textOf(each, `${where}[${i}]`)) : [textOf(value, where)];

/** What is read for a member of a policy, which an error names. */
export const at = async <T>(where: string, read: () => T | Promise<T>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    throw errorIn(`policy: ${where}`, error);
  }
};
