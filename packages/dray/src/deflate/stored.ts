/** Bytes of a stored block at most (RFC 1951, 3.2.4). */
const most = 65535;

/** A segment as it is, in stored blocks: what deflate makes no shorter. The last one is empty, as that of every segment. */
export const stored = (parts: readonly Uint8Array[]): Uint8Array => {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const result = new Uint8Array(length + 5 * (Math.ceil(length / most) + 1));
  const view = new DataView(result.buffer);
  let at = 0;
  let left = length;
  let inBlock = 0;
  const begin = (): void => {
    inBlock = Math.min(most, left);
    view.setUint16(at + 1, inBlock, true);
    view.setUint16(at + 3, inBlock ^ 0xffff, true);
    at += 5;
    left -= inBlock;
  };
  for (const part of parts)
    for (let from = 0; from < part.byteLength; ) {
      if (inBlock === 0) begin();
      const piece = part.subarray(from, from + inBlock);
      result.set(piece, at);
      at += piece.byteLength;
      from += piece.byteLength;
      inBlock -= piece.byteLength;
    }
  begin();
  return result;
};
