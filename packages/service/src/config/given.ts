/**
 * The members that are not `undefined`, for what is optional: `{ root, ...given<Options>({ limit }) }`. The type is written out at the
 * call, so that a key that the options do not have is refused by the compiler, as it would not be in a spread.
 */
export const given = <T extends object>(members: { readonly [K in keyof T]?: T[K] | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
