import type { HeaderPairs, Middleware } from "dray/http";

export type WantedHeaders = Readonly<Record<string, readonly string[]>>;

/** Headers of every answer, as the operator wants them (`http.headers`). What `wanted` gives is looked at once for each value of it. */
export const withHeaders = (wanted: () => WantedHeaders): Middleware => {
  let seen: WantedHeaders | undefined;
  let pairs: HeaderPairs = [];
  return (next) => async (request) => {
    const now = wanted();
    if (now !== seen) [seen, pairs] = [now, pairsOf(now)];
    const response = await next(request);
    return pairs.length === 0 ? response : Object.assign(response, { headers: [...pairs, ...response.headers] });
  };
};

const pairsOf = (headers: WantedHeaders): HeaderPairs =>
  Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as const));
