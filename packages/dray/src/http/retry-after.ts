import { type HeaderPairs, header } from "./types.ts";

/** GHCR has answered with values below a millisecond; who obeys them asks as fast as it can. */
const floor = 1_000;

/** What is larger is no time to wait: thirty years. */
const firstMoment = 1_000_000_000_000;

/**
 * How long a response asks us to wait, in milliseconds and never less than one second: `Retry-After` in seconds or as an HTTP date.
 * `undefined`: it does not say, or not in a form we understand.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export const retryAfter = (headers: HeaderPairs, now: number): number | undefined => {
  const value = header(headers, "retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  // Fractions are outside the grammar, and sent all the same; so are moments, in seconds since 1970.
  if (/^\d+(?:\.\d+)?$/.test(value)) {
    const said = Math.ceil(Number(value) * 1_000);
    return Math.max(floor, said < firstMoment ? said : said - now);
  }
  const date = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(floor, date - now);
};
