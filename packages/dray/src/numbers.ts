import { DrayError } from "./errors.ts";

/** Numbers that an option may be. */
export interface NumberRange {
  /** The least of them. Default 1. */
  readonly from?: number;
  /** The largest of them, itself allowed. Default: without end, which `Infinity` says. */
  readonly to?: number;
  /** Whether halves and the like mean something. Default: no. */
  readonly fractions?: boolean;
}

/**
 * Refuses numbers that mean nothing, by the option's name, before anything began: a semaphore of `NaN` places never lets anybody in.
 * @throws DrayError `USAGE`
 * @example refuseNumber("jobs", options.jobs);
 */
export const refuseNumber = (
  name: string,
  value: number | undefined,
  { from = 1, to = Infinity, fractions = false }: NumberRange = {},
): void => {
  if (value === undefined) return;
  const counts = fractions || Number.isInteger(value) || value === Infinity;
  if (typeof value === "number" && counts && value >= from && value <= to) return;
  const kind = fractions ? "a number" : "a whole number";
  const range = to === Infinity ? `, ${from} or more` : ` from ${from} to ${to}`;
  throw new DrayError("USAGE", `option ${name} is ${String(value)}; it has to be ${kind}${range}`);
};
