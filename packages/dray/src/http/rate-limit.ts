import { type HeaderPairs, header } from "./types.ts";

/** What a registry says is left of its limit. */
export interface RateLimit {
  /** Requests that may still be made. */
  readonly remaining: number;
  /** Requests in a whole window, where it says so. */
  readonly limit?: number;
  /** Milliseconds until the limit is whole again, where it says so. */
  readonly reset?: number;
}

/**
 * Reads what is left from a response's headers, or `undefined` if they do not say. Three dialects:
 * Docker Hub's `RateLimit-Remaining: 76;w=21600`, the older IETF drafts' `RateLimit-Remaining` with `RateLimit-Reset` (seconds; some
 * send the second of 1970), and the newer drafts' `RateLimit: "name";r=50;t=30`. Of several policies the tightest counts.
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export const readRateLimit = (headers: HeaderPairs, now: number): RateLimit | undefined => {
  const combined = header(headers, "ratelimit");
  if (combined !== undefined) {
    const policies = combined.split(",").flatMap((item) => readPolicy(item) ?? []);
    const tightest = policies.sort((a, b) => a.remaining - b.remaining)[0];
    if (tightest !== undefined) return tightest;
  }
  const remaining = first(header(headers, "ratelimit-remaining") ?? header(headers, "x-ratelimit-remaining"));
  if (remaining === undefined) return undefined;
  const limit = first(header(headers, "ratelimit-limit") ?? header(headers, "x-ratelimit-limit"));
  const reset = first(header(headers, "ratelimit-reset") ?? header(headers, "x-ratelimit-reset"));
  return {
    remaining,
    ...(limit === undefined ? {} : { limit }),
    ...(reset === undefined ? {} : { reset: untilReset(reset, now) }),
  };
};

/** `"default";r=50;t=30`, or the draft between, `limit=100, remaining=50, reset=30`, which is not a list of policies and is left alone. */
const readPolicy = (item: string): RateLimit | undefined => {
  const parameter = (name: string) => first(new RegExp(`;\\s*${name}=(\\d+)`, "i").exec(item)?.[1]);
  const [remaining, seconds] = [parameter("r"), parameter("t")];
  return remaining === undefined
    ? undefined
    : { remaining, ...(seconds === undefined ? {} : { reset: seconds * 1_000 }) };
};

/** The number a header begins with: `76;w=21600` is 76. */
const first = (value: string | undefined): number | undefined => {
  const digits = /^\s*(\d{1,15})/.exec(value ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** No window lasts for thirty years: such a number is a second of 1970. */
const untilReset = (seconds: number, now: number): number =>
  Math.max(0, seconds > 1_000_000_000 ? seconds * 1_000 - now : seconds * 1_000);
