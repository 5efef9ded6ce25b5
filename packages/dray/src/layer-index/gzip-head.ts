/** Flags of a head: of what comes behind its first ten bytes. */
const flags = { headChecksum: 2, extra: 4, name: 8, comment: 16 } as const;

/** Whether bytes begin as gzip does, as far as there are any. */
export const maybeGzip = (bytes: Uint8Array): boolean =>
  (bytes[0] ?? 0x1f) === 0x1f && (bytes[1] ?? 0x8b) === 0x8b && (bytes[2] ?? 8) === 8;

/** Bytes of the head of a gzip member (RFC 1952); `undefined` where more are needed to tell. */
export const gzipHeadLength = (bytes: Uint8Array): number | undefined => {
  const said = bytes[3];
  if (said === undefined) return undefined;
  let at: number | undefined = 10;
  if ((said & flags.extra) !== 0) {
    const [low, high] = bytes.subarray(at, at + 2);
    if (low === undefined || high === undefined) return undefined;
    at += 2 + low + high * 256;
  }
  for (const flag of [flags.name, flags.comment]) if ((said & flag) !== 0) at = behindZero(bytes, at);
  if (at === undefined) return undefined;
  if ((said & flags.headChecksum) !== 0) at += 2;
  return at <= bytes.byteLength ? at : undefined;
};

const behindZero = (bytes: Uint8Array, from: number | undefined): number | undefined => {
  const found = from === undefined ? -1 : bytes.indexOf(0, from);
  return found < 0 ? undefined : found + 1;
};
