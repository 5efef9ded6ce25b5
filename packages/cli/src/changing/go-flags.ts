import { InvalidArgumentError } from "commander";

/** One line of comma-separated values, as Go's reader takes it: a value with commas or quotes in it stands in quotes, and a quote in there twice. */
const csv = (text: string): string[] => {
  const values: string[] = [];
  let rest = text;
  for (;;) {
    const [quoted, inside] = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest) ?? [];
    const plain = quoted === undefined ? (/^[^,]*/.exec(rest)?.[0] ?? "") : "";
    if (quoted === undefined && plain.includes('"'))
      throw new InvalidArgumentError('A value with a quote in it stands in quotes, with the quote twice: "a ""b"" c".');
    values.push(quoted === undefined ? plain : (inside ?? "").replaceAll('""', '"'));
    rest = rest.slice((quoted ?? plain).length);
    if (rest === "") return values;
    rest = rest.slice(1);
  }
};

/** A list: again or with commas for several. Nothing at all is none, as with crane. */
export const stringSlice = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...(text === "" ? [] : csv(text)),
];

/** `KEY=VALUE`; with commas for several, unless there is one `=` alone, where a comma belongs to the value. */
export const stringToString = (
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => {
  const one = (text.match(/=/g) ?? []).length === 1;
  const pairs = one ? [text.replace(/^"+|"+$/g, "")] : csv(text);
  return { ...before, ...Object.fromEntries(pairs.map(pairOf)) };
};

/** `KEY=VALUE`, one alone: commas belong to the value. */
export const keyToValue = (
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => ({ ...before, ...Object.fromEntries([pairOf(text)]) });

const pairOf = (pair: string): readonly [string, string] => {
  const at = pair.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`${JSON.stringify(pair)} has to be KEY=VALUE.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
};
