/** Path and query of a raw target, the query decoded. */
export const splitTarget = (target: string): { path: string; query: URLSearchParams } => {
  const mark = target.indexOf("?");
  return mark < 0
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
};
