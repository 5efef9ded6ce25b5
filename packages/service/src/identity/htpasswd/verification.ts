import { compareSync } from "bcryptjs";
import { costOf } from "./entries.ts";

/** A password that somebody must compute about. */
export interface Question {
  readonly password: string;
  /** Missing: there is no such user, and only the time is spent. */
  readonly hash?: string;
  /** Cost of the dearest hash there is. A no takes as long as that one, whatever the user's costs, and whether there is one. */
  readonly cost: number;
}

/**
 * Whether a password is right. A wrong one costs the same for every name, so that the time tells nobody who has an account: after a
 * comparison of cost c follow those of c, c + 1, … below the dearest, which together make up its time.
 *
 * bcrypt reads the first 72 bytes of a password, here as everywhere: files made elsewhere go on working.
 */
export const verify = ({ password, hash, cost }: Question): boolean => {
  if (hash === undefined) return compareSync(password, dummy(cost)) && false;
  if (compareSync(password, hash)) return true;
  for (let spent = costOf(hash); spent < cost; spent++) compareSync(password, dummy(spent));
  return false;
};

/** The hash of nothing: its last part is no hash of any password that is known. */
const dummy = (cost: number): string =>
  `$2b$${String(cost).padStart(2, "0")}$${"DrayKnowsNobodyByThis".padEnd(22, ".")}${"u".repeat(31)}`;
