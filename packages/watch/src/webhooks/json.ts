/** A value in a JSON document that somebody else has made, by path; `undefined` where there is none. */
export const at = (json: unknown, ...path: readonly string[]): unknown => {
  let value = json;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
};

/** The same where it is a text that is not empty. */
export const textAt = (json: unknown, ...path: readonly string[]): string | undefined => {
  const value = at(json, ...path);
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** The same where it is a list; else an empty one. */
export const listAt = (json: unknown, ...path: readonly string[]): readonly unknown[] => {
  const value = at(json, ...path);
  return Array.isArray(value) ? value : [];
};

/** Milliseconds since 1970 of a text such as RFC 3339, or of seconds. */
export const timeAt = (json: unknown, ...path: readonly string[]): number | undefined => {
  const value = at(json, ...path);
  const time = typeof value === "number" ? value * 1000 : typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) ? time : undefined;
};
