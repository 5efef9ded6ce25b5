/** Whether text can stand in a `Content-Type`: what is in the tree may be anybody's, and a line end in it would begin another header. */
export const isTypeText = (text: unknown): text is string =>
  typeof text === "string" && /^[\u0021-\u007e][\u0020-\u007e]{0,254}$/.test(text);
