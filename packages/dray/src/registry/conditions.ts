import type { HeaderPairs } from "../http/index.ts";

/** What a call is bound to, where the registry honours it: many take no notice. Entity tags are those of `ReadManifest`. */
export interface Conditions {
  /** Only while what is there has this entity tag. Else `CONFLICT`: somebody was faster. */
  readonly ifMatch?: string | undefined;
  /** Only while what is there has another; `"*"`: only while nothing is there. */
  readonly ifNoneMatch?: string | undefined;
}

export const conditionHeaders = ({ ifMatch, ifNoneMatch }: Conditions): HeaderPairs => [
  ...(ifMatch === undefined ? [] : [["If-Match", ifMatch] as const]),
  ...(ifNoneMatch === undefined ? [] : [["If-None-Match", ifNoneMatch] as const]),
];

/** The same options for something else, to which the conditions do not apply. */
export const withoutConditions = <T extends Conditions>(options: T): Omit<T, keyof Conditions> => ({
  ...options,
  ifMatch: undefined,
  ifNoneMatch: undefined,
});
