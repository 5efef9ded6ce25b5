type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A column with room for so many values: itself, or a longer copy whose new values are 0. */
export const grown = <C extends Column>(column: C, length: number): C => {
  if (length <= column.length) return column;
  const longer = new (column.constructor as new (length: number) => C)(
    Math.max(length, Math.ceil(column.length * 1.5)),
  );
  longer.set(column);
  return longer;
};
