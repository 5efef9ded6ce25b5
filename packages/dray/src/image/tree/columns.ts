/** A column of numbers, one for each of what is counted. */
type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A column with room for so many numbers, what was there among them. The old one is gone at once: a collector would learn of its size late. */
export const grown = <C extends Column>(column: C, length: number): C => {
  if (column.length >= length) return column;
  const room = Math.max(length, column.length + (column.length >> 2), 1024);
  const kind = column.constructor as new (buffer: ArrayBuffer) => C;
  return new kind(column.buffer.transfer(room * column.BYTES_PER_ELEMENT));
};
