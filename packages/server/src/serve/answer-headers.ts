import { exposedHeaders } from "../endpoints/index.ts";

/** Values by name, as `http.headers` has them. */
type Headers = Readonly<Record<string, readonly string[]>>;

/**
 * The headers of every answer: the operator's, and beside them what browsers need. No answer is taken for another type than it says, and where
 * the operator lets pages of other origins read answers, these see the headers that a client of a registry needs.
 */
export const answerHeaders = (operators: Headers): Headers => {
  const said = new Set(Object.keys(operators).map((name) => name.toLowerCase()));
  const ours: Headers = {
    "X-Content-Type-Options": ["nosniff"],
    ...(said.has("access-control-allow-origin") ? { "Access-Control-Expose-Headers": [exposedHeaders] } : {}),
  };
  return {
    ...Object.fromEntries(Object.entries(ours).filter(([name]) => !said.has(name.toLowerCase()))),
    ...operators,
  };
};
