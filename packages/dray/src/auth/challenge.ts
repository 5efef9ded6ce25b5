import { type HeaderPairs, headerValues } from "../http/index.ts";

/** One way a server accepts to be told who asks. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case, values unquoted. A realm is text like any other: it may be a URL or not. */
  readonly params: ReadonlyMap<string, string>;
  /** What some schemes have in place of parameters. */
  readonly token68?: string;
}

/** The challenges of a response, in order. */
export const challengesOf = (headers: HeaderPairs): Challenge[] =>
  parseChallenges(headerValues(headers, "www-authenticate"));

const separators = /[ \t,]*/y;
const scheme = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?=[ \t,]|$)/y;
const gap = /[ \t]*/y;
const token68 = /([A-Za-z0-9._~+/-]+=*)(?=[ \t]*(?:,|$))/y;
/** A quoted value may lack its end, an unquoted one may hold what a token may not (`realm=https://…`): both are in the wild. */
const param = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s,"]+))/sy;
const untilComma = /[^,]*/y;

/**
 * Reads the values of `WWW-Authenticate` fields by their grammar: several challenges in one value, values in several
 * fields, commas inside quotes. Never throws: what makes no sense is passed over up to the next comma.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export const parseChallenges = (values: readonly string[]): Challenge[] => values.flatMap(parseValue);

const parseValue = (text: string): Challenge[] => {
  const challenges: { scheme: string; params: Map<string, string>; token68?: string }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match;
  };

  for (;;) {
    take(separators);
    if (at >= text.length) return challenges;
    const current = challenges.at(-1);
    // `name =` is a parameter of the challenge before, wherever it stands; a name alone begins a challenge.
    const member = current === undefined ? undefined : take(param);
    if (current !== undefined && member !== undefined) {
      addParam(current.params, member);
      continue;
    }
    const begun = take(scheme);
    if (begun === undefined) {
      take(untilComma);
      continue;
    }
    const challenge: (typeof challenges)[number] = { scheme: (begun[1] ?? "").toLowerCase(), params: new Map() };
    challenges.push(challenge);
    if (take(gap)?.[0] === "") continue;
    const blob = take(token68);
    if (blob?.[1] !== undefined) challenge.token68 = blob[1];
  }
};

/** The first of two values wins: a second realm is nothing an honest server sends. */
const addParam = (params: Map<string, string>, [, name = "", quoted, bare = ""]: RegExpExecArray): void => {
  const key = name.toLowerCase();
  if (!params.has(key)) params.set(key, quoted === undefined ? bare : quoted.replace(/\\(.)/gs, "$1"));
};
