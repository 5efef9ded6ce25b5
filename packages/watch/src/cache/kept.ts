import type { CachedValue } from "../cache-interface.ts";

/** Nothing is kept for less, so that what has to be looked at again is still there when it is. */
const least = 3_600_000;

/** Until when a value is kept: for twice the time to its deadline, as flux keeps it. Milliseconds since 1970. */
export const keptUntil = (deadline: number, now: number): number => now + Math.max(least, 2 * (deadline - now));

/** A value with its deadline before it, in 4 bytes of seconds since 1970: the form in which flux keeps it. */
export const withDeadline = (value: Uint8Array, deadline: number): Buffer => {
  const framed = Buffer.allocUnsafe(4 + value.byteLength);
  framed.writeUInt32BE(Math.min(Math.max(Math.floor(deadline / 1000), 0), 0xffff_ffff), 0);
  framed.set(value, 4);
  return framed;
};

/** The reverse; `undefined` for what is too short to be one. */
export const splitDeadline = (framed: Uint8Array): CachedValue | undefined => {
  if (framed.byteLength < 4) return undefined;
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  return { value: framed.subarray(4), deadline: view.getUint32(0) * 1000 };
};
