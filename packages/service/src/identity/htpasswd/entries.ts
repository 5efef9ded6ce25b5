import { textOf } from "../../config/index.ts";
import type { Notice } from "../../observe/index.ts";

/** The hashes of a password file by user. */
export interface Entries {
  readonly hashes: ReadonlyMap<string, string>;
  /** Cost of the dearest hash. What a user costs who is not there. */
  readonly cost: number;
}

const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** One step more takes twice the time: 16 are some five seconds, for every password that is tried. */
const dearest = 16;
const usual = 10;

/**
 * Reads a password file: `user:hash` in lines, `#` before comments; of hashes bcrypt alone. The last line of a user counts. What
 * cannot be used is told by the number of its line, since anything in it may be a secret.
 */
export const readEntries = (bytes: Uint8Array, path: string, onNotice: (notice: Notice) => void): Entries => {
  const hashes = new Map<string, string>();
  let cost = 0;
  const lines = textOf(bytes).split("\n");
  for (const [index, text] of lines.entries()) {
    const line = text.trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const user = line.slice(0, Math.max(0, colon));
    const hash = line.slice(colon + 1);
    const trouble = faultOf(user, hash);
    if (trouble !== undefined) {
      onNotice({ level: "warn", message: `${path}, line ${index + 1}: ${trouble}; the line is left out` });
      continue;
    }
    if (hashes.has(user))
      onNotice({ level: "warn", message: `${path}, line ${index + 1}: its user was there before; this line counts` });
    hashes.set(user, hash);
    cost = Math.max(cost, costOf(hash));
  }
  if (hashes.size === 0) onNotice({ level: "warn", message: `${path} has no user that could log in` });
  return { hashes, cost: cost === 0 ? usual : cost };
};

const faultOf = (user: string, hash: string): string | undefined => {
  if (user === "") return "it is not of the form user:hash";
  const cost = bcrypt.exec(hash)?.[1];
  if (cost === undefined) return "its hash is none of bcrypt; make it again by `htpasswd -B`";
  if (Number(cost) < 4) return "its hash has a cost below 4, which is none of bcrypt";
  return Number(cost) > dearest ? `its hash costs more than ${dearest}, minutes for each password` : undefined;
};

/** The exponent in `$2y$10$…`. */
export const costOf = (hash: string): number => Number(hash.slice(4, 6));
