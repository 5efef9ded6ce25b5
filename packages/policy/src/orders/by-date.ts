import { DrayError } from "dray/errors";
import { nearest } from "dray/internal/nearest";
import { compareDigits, newestNaturally } from "../natural.ts";
import { readVersion } from "../version/index.ts";
import type { Order } from "./order.ts";

/** Parts of calver.org. A year of two digits counts from 2000. */
const parts: Readonly<Record<string, string>> = {
  YYYY: "(?<year>(?:19|20)[0-9]{2})",
  YY: "(?<year>[0-9]{1,3})",
  "0Y": "(?<year>[0-9]{2,3})",
  MM: "(?<month>1[0-2]|[1-9])",
  "0M": "(?<month>0[1-9]|1[0-2])",
  WW: "(?<week>[1-4][0-9]|5[0-3]|[1-9])",
  "0W": "(?<week>0[1-9]|[1-4][0-9]|5[0-3])",
  DD: "(?<day>[12][0-9]|3[01]|[1-9])",
  "0D": "(?<day>0[1-9]|[12][0-9]|3[01])",
  MAJOR: "(?<major>[0-9]+)",
  MINOR: "(?<minor>[0-9]+)",
  MICRO: "(?<micro>[0-9]+)",
};

const onePart = new RegExp(Object.keys(parts).join("|"), "g");
const allParts = new RegExp(`^(?:${Object.keys(parts).join("|")})+$`);

/** Where nobody says a format: a year of four digits or two, with its month, perhaps its day, and numbers behind them. */
const usual = [
  /^(?:(?<series>[A-Za-z]+)[.-]?)?(?<year>20[0-9]{2})(?<month>0[1-9]|1[0-2])(?<day>0[1-9]|[12][0-9]|3[01])(?:[T.-]?(?<micro>[0-9]{1,6}))?(?![0-9])(?<rest>.*)$/,
  /^(?:(?<series>[A-Za-z]+)[.-]?)?(?<year>20[0-9]{2})(?<between>[._-])(?<month>0?[1-9]|1[0-2])(?:\k<between>(?<day>0?[1-9]|[12][0-9]|3[01])(?=$|[^0-9]))?(?:[T._-](?<micro>[0-9]+(?:[._-][0-9]+)*))?Z?(?![0-9])(?<rest>.*)$/,
  /^[vV]?(?<year>[1-9][0-9])\.(?<month>0[1-9]|1[0-2]|[1-9])(?:\.(?<micro>[0-9]+(?:\.[0-9]+)*))?(?![0-9])(?<rest>.*)$/,
];

interface Dated {
  readonly numbers: readonly string[];
  readonly prerelease: string;
}

/**
 * Newest date first: `2024.05.01`, `24.04`, `20240501`, `RELEASE.2024-05-01T00-11-22Z`, or as a format of calver.org says. What stands behind is a
 * pre-release or a flavour, as with versions.
 * @param format parts of calver.org between other letters, such as `YYYY.0M.MICRO`; none: the usual ones
 * @throws DrayError `USAGE` for a format that has no year, or a part that there is not
 */
export const byDate = (format?: string): Order => {
  const forms = format === undefined ? usual : [formOf(format)];
  return {
    read: (value) => {
      for (const form of forms) {
        const groups = form.exec(value)?.groups;
        if (groups === undefined) continue;
        const { rest = "" } = groups;
        // As it stands behind any version.
        const tail = readVersion(`1.0.0${rest}`);
        if (tail === undefined) continue;
        const numbers = inOrder.flatMap((name) => numbersIn(name, groups[name]));
        const { prerelease, flavour } = tail;
        const key: Dated = { numbers, prerelease };
        return { value, key, prerelease, flavour, numbers: numbers.length, ...seriesOf(groups["series"]) };
      }
      const expected = format === undefined ? "no date, such as 2024.05.01 or 24.04" : `not of the form ${format}`;
      return { code: "not-calver", text: `is ${expected}` };
    },
    compare: (a, b) => newestDated(a.key as Dated, b.key as Dated) || a.flavour.length - b.flavour.length,
  };
};

const seriesOf = (word: string | undefined): { series?: string } =>
  word === undefined || word.toLowerCase() === "v" ? {} : { series: word.toLowerCase() };

const inOrder = ["year", "month", "week", "day", "major", "minor", "micro"] as const;

const numbersIn = (name: string, text: string | undefined): string[] => {
  if (text === undefined) return [];
  // 24 and 2024 are one year, 124 is 2124.
  return name === "year" ? [String(Number(text) < 1000 ? 2000 + Number(text) : Number(text))] : text.split(/[._-]/);
};

const newestDated = (a: Dated, b: Dated): number => {
  for (let i = 0; i < Math.max(a.numbers.length, b.numbers.length); i++) {
    const order = compareDigits(b.numbers[i] ?? "", a.numbers[i] ?? "");
    if (order !== 0) return order;
  }
  if (a.prerelease === b.prerelease) return b.numbers.length - a.numbers.length;
  if (a.prerelease === "" || b.prerelease === "") return a.prerelease === "" ? -1 : 1;
  return newestNaturally(a.prerelease, b.prerelease);
};

const formOf = (format: string): RegExp => {
  const refuse = (why: string): never => {
    throw new DrayError("USAGE", `calver format "${format}": ${why}`);
  };
  const seen = new Set<string>();
  const partOf = (word: string): string => {
    const part = parts[word];
    if (part === undefined) {
      const close = nearest(word, Object.keys(parts));
      const remedy = close === undefined ? `they are ${Object.keys(parts).join(", ")}` : `did you mean ${close}?`;
      return refuse(`there is no part "${word}"; ${remedy}`);
    }
    const name = /<(\w+)>/.exec(part)?.[1] ?? "";
    if (seen.has(name)) return refuse(`"${word}" says ${name} a second time`);
    seen.add(name);
    return part;
  };
  const pattern = format
    .split(/([A-Z0-9]+)/)
    .flatMap((word, i) => {
      if (i % 2 === 0) return word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      // Parts may stand side by side: YYYY0M0D.
      const known = allParts.test(word) ? (word.match(onePart) ?? []) : [word];
      return known.map(partOf);
    })
    .join("");
  if (!seen.has("year")) return refuse("it has no year: YYYY, YY or 0Y");
  return new RegExp(`^[vV]?${pattern}(?<rest>(?:[-_+].*|\\.?(?:a|b|rc)[0-9]+.*)?)$`);
};
