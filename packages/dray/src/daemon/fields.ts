/** Whether a member of an engine's document is text. */
export const isText = (value: unknown): value is string => typeof value === "string";
