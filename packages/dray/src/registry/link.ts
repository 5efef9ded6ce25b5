/** One link of a `Link` header: where it points and what it is. Parameter names are in lower case, the first of a name wins. */
export interface Link {
  readonly url: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads `Link` headers by the grammar: commas and semicolons may stand inside the URL and inside quoted values, so a
 * split would tear them apart. What follows a fault in one header is dropped.
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 * @example parseLinks(['</v2/a/tags/list?n=2&last=b>; rel="next"'])[0].url // "/v2/a/tags/list?n=2&last=b"
 */
export const parseLinks = (values: readonly string[]): Link[] => values.flatMap(parseLink);

/** The link with this relation; one link may have several, apart by white space, in any case. */
export const linkTo = (relation: string, values: readonly string[]): string | undefined =>
  parseLinks(values).find(({ parameters }) =>
    (parameters.get("rel") ?? "").toLowerCase().split(/\s+/).includes(relation),
  )?.url;

const target = /[\s,]*<([^>]*)>/y;
const parameter = /\s*;\s*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?)?/y;

const parseLink = (value: string): Link[] => {
  const links: Link[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(value);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (let found = next(target); found !== null; found = next(target)) {
    const parameters = new Map<string, string>();
    for (let match = next(parameter); match !== null; match = next(parameter)) {
      const [, name, quoted, token] = match;
      const key = name?.toLowerCase();
      if (key !== undefined && !parameters.has(key))
        parameters.set(key, quoted?.replace(/\\(.)/g, "$1") ?? token ?? "");
    }
    links.push({ url: (found[1] as string).trim(), parameters });
  }
  return links;
};
