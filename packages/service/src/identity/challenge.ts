/** A scheme with its parameters, as `WWW-Authenticate` has it. @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 */
export const challengeOf = (scheme: string, parameters: readonly (readonly [name: string, value: string])[]): string =>
  `${scheme} ${parameters.map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`).join(",")}`;

/** Whether text can stand in a header at all. */
export const isHeaderText = (text: string): boolean => /^[\t\u0020-\u007e]*$/.test(text);
