/** `T`, with each member that it may lack also written as `undefined`. Whatever `T` does not have does not compile. */
export type Undefinable<T> = { readonly [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };

/**
 * Options without those that nobody gave: a member that is `undefined` is left out. The type is the one that is wanted (of the
 * variable, the argument, the result), so that a misspelt member does not compile, as it would in a spread. Inside a spread nothing
 * says which type that is: write `...defined<T>({…})` there.
 * @example const options: CopyOptions = defined({ jobs, signal });
 */
export const defined = <T extends object>(options: Undefinable<NoInfer<T>>): T => {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) if (value !== undefined) result[name] = value;
  return result as T;
};
