import type { Middleware } from "dray/http";

/** Headers of every answer, as the operator wants them (`http.headers`). */
export const withHeaders = (headers: Readonly<Record<string, readonly string[]>>): Middleware => {
  const pairs = Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  if (pairs.length === 0) return (next) => next;
  return (next) => async (request) => {
    const response = await next(request);
    return Object.assign(response, { headers: [...pairs, ...response.headers] });
  };
};
