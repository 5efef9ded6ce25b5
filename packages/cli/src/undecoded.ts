import { readFileSync } from "node:fs";
import { DrayError } from "dray/errors";

/** What runtimes put in the place of bytes that are no UTF-8. */
const replacement = "\u{fffd}";

/**
 * Refuses words of which the runtime has lost bytes: a file would be looked for, and made, under another name than was typed.
 * @throws DrayError `USAGE`
 */
export const refuseUndecoded = (words: readonly string[]): void => {
  const word = words.find((each) => each.includes(replacement) || !each.isWellFormed());
  if (word === undefined || isAsTyped()) return;
  throw new DrayError(
    "USAGE",
    `the word ${JSON.stringify(word)} has bytes that are no UTF-8, and those are lost; rename what it names, or lead there by a link of another name`,
  );
};

/** Somebody may have typed that very character. Where the system does not show the bytes, nobody is believed to. */
const isAsTyped = (): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(readFileSync("/proc/self/cmdline"));
    return true;
  } catch {
    return false;
  }
};
