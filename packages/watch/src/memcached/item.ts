import { DrayError } from "dray/errors";

/** What lies under a key. */
export interface Item {
  readonly key: string;
  readonly value: Uint8Array;
  /** 32 bits that mean something to whoever wrote them. Default 0. */
  readonly flags?: number | undefined;
  /**
   * Whole seconds until it is gone; above 30 days it is a time in seconds since 1970. 0 is never, and the default; what is negative is gone at
   * once.
   */
  readonly expiration?: number | undefined;
}

/** What was read, with what `compareAndSwap` goes by. */
export interface StoredItem {
  readonly key: string;
  readonly value: Uint8Array;
  readonly flags: number;
  /** Another one after each change. */
  readonly cas: bigint;
}

const longestKey = 250;

/**
 * Refuses what memcached takes for no key.
 * @throws DrayError `LIMIT_EXCEEDED`, `USAGE`
 */
export const checkKey = (key: string): void => {
  const length = Buffer.byteLength(key);
  const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key;
  if (length > longestKey)
    throw new DrayError("LIMIT_EXCEEDED", `the key ${shown} has ${length} bytes; memcached takes ${longestKey}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (key === "" || /[\u0000-\u0020\u007f]/.test(key))
    throw new DrayError(
      "USAGE",
      `"${shown}" is no key of memcached: it ${key === "" ? "is empty" : "has blanks or control characters"}`,
    );
};

/** The line that goes before a value. @throws DrayError as `checkKey`, and `USAGE` for numbers that memcached has no room for */
export const storageLine = (verb: string, item: Item, cas?: bigint): string => {
  const { key, value, flags = 0, expiration = 0 } = item;
  checkKey(key);
  if (!Number.isInteger(flags) || flags < 0 || flags > 0xffff_ffff)
    throw new DrayError("USAGE", `flags of ${key} are ${flags}: they are a whole number of 32 bits`);
  checkExpiration(key, expiration);
  return `${verb} ${key} ${flags} ${expiration} ${value.byteLength}${cas === undefined ? "" : ` ${cas}`}\r\n`;
};

/** @throws DrayError `USAGE` */
export const checkExpiration = (key: string, expiration: number): void => {
  if (!Number.isInteger(expiration) || Math.abs(expiration) > 0x7fff_ffff)
    throw new DrayError("USAGE", `${key} is to expire at ${expiration}: memcached takes whole seconds of 31 bits`);
};
