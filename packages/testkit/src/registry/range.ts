/**
 * The bytes a `Range` header asks for, `end` exclusive. `undefined`: the whole, because there is no range or none that we serve (several
 * ranges, other units). A range that is backwards is unsatisfiable here, as the conformance suite wants it.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
 */
export const byteRange = (
  value: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined => {
  const match = /^bytes=([0-9]*)-([0-9]*)$/.exec(value?.trim() ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [first, last] = [match[1], match[2]].map((text) => (text === "" ? undefined : Number(text)));
  const start = first ?? Math.max(0, size - (last ?? 0));
  const end = first === undefined ? size : Math.min(size, (last ?? size - 1) + 1);
  return start < end ? { start, end } : "unsatisfiable";
};
