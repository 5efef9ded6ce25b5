/** Bits of an empty block with codes that are fixed, and its bits: it is the last one of nothing, its kind is 1, and seven zeros end it. */
const [fixedLength, fixedBits] = [10, 0b010n];

/**
 * An empty block that has codes of its own, 95 bits of it, which is an odd number: one bit for a zero byte and one for the end, and all 19
 * lengths of the code of lengths written out.
 */
const [ownLength, ownBits] = ((): readonly [number, bigint] => {
  let [bits, length] = [0n, 0];
  const put = (value: number, count: number): void => {
    bits |= BigInt(value) << BigInt(length);
    length += count;
  };
  put(0b100, 3);
  // 257 codes of literals, two of distances, 19 lengths.
  put(0, 5);
  put(1, 5);
  put(15, 4);
  // In the order of RFC 1951: 18 is the third and 1 the last but one; both have one bit.
  for (let place = 0; place < 19; place++) put(place === 2 || place === 17 ? 1 : 0, 3);
  const [one, zeros] = [0, 1];
  put(one, 1);
  for (const run of [138, 117]) {
    put(zeros, 1);
    put(run - 11, 7);
  }
  for (let i = 0; i < 3; i++) put(one, 1);
  put(1, 1);
  return [length, bits];
})();

/**
 * What comes before DEFLATE data that begins at a bit within a byte, so that a decompressor which begins at whole bytes can read it: empty blocks that
 * fill so many bits. The last byte of them has room for the data's own bits.
 * @param bit 0 to 7
 */
export const bytesBefore = (bit: number): Uint8Array => {
  let [bits, length] = bit % 2 === 0 ? [0n, 0] : [ownBits, ownLength];
  for (; length % 8 !== bit; length += fixedLength) bits |= fixedBits << BigInt(length);
  return Uint8Array.from({ length: Math.ceil(length / 8) }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
};

/** DEFLATE data from a bit of its first byte on, as data that begins at a whole byte. */
export async function* fromBit(chunks: AsyncIterable<Uint8Array>, bit: number): AsyncGenerator<Uint8Array> {
  let isFirst = bit !== 0;
  for await (const chunk of chunks) {
    if (!isFirst || chunk.byteLength === 0) {
      yield chunk;
      continue;
    }
    isFirst = false;
    const before = bytesBefore(bit);
    before[before.length - 1]! |= (chunk[0] as number) & (0xff << bit);
    yield before;
    yield chunk.subarray(1);
  }
}
