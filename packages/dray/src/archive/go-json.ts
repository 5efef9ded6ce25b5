/**
 * JSON as Go's encoder writes it, so that an archive has the same bytes whoever makes it: members in the order given, those of
 * a `Map` by the bytes of their keys, no white space, and `<`, `>`, `&` and line separators escaped inside strings.
 */
export const goJson = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escaped);
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (value instanceof Map)
    return members([...value].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  if (typeof value === "object" && value !== null) return members(Object.entries(value));
  return JSON.stringify(value);
};

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

const members = (entries: readonly (readonly [string, unknown])[]): string =>
  `{${entries
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${goJson(key)}:${goJson(value)}`)
    .join(",")}}`;
