import { compareDigits, compareText } from "../natural.ts";
import type { Order } from "./order.ts";

interface Numeral {
  readonly isBelow: boolean;
  readonly whole: string;
  readonly fraction: string;
}

/** The largest number first. Numbers have any length, and are never rounded; what is none is left out, and the others stay. */
export const byNumber: Order = {
  read: (value) => {
    const [found, sign, whole = "", fraction = ""] = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/.exec(value) ?? [];
    if (found === undefined) return { code: "not-number", text: "is no number" };
    const key: Numeral = { isBelow: sign === "-", whole, fraction: fraction.replace(/0+$/, "") };
    return { value, key, flavour: "", numbers: 0 };
  },
  compare: (a, b) => compareNumerals(b.key as Numeral, a.key as Numeral),
};

const compareNumerals = (a: Numeral, b: Numeral): number => {
  if (isZero(a) && isZero(b)) return 0;
  if (a.isBelow !== b.isBelow) return a.isBelow ? -1 : 1;
  const order = compareDigits(a.whole, b.whole) || compareText(a.fraction, b.fraction);
  return a.isBelow ? -order : order;
};

const isZero = ({ whole, fraction }: Numeral): boolean => /^0+$/.test(whole) && fraction === "";
