import { readFileSync } from "node:fs";

/** What `/etc/resolv.conf` says of names that are not complete. */
export interface SearchList {
  readonly domains: readonly string[];
  /** A name of at least so many dots is tried as it is first. */
  readonly ndots: number;
}

/**
 * The names to ask for, in order, by the rules of `resolv.conf`: `_memcached._tcp.memcached` is in a cluster what its own namespace
 * calls so. The questions that `node:dns` asks go by no list.
 */
export const searchNames = (name: string, { domains, ndots }: SearchList): readonly string[] => {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const longer = domains.map((domain) => `${name}.${domain}`);
  return name.split(".").length - 1 >= ndots ? [name, ...longer] : [...longer, name];
};

/** The system's own list; none where there is no such file. */
export const systemSearchList = (): SearchList => {
  try {
    return searchListOf(readFileSync("/etc/resolv.conf", "utf8"));
  } catch {
    return searchListOf("");
  }
};

/** Of the lines that name domains the last one counts. */
export const searchListOf = (text: string): SearchList => {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === "search" || word === "domain")
      domains = rest.map((domain) => domain.replace(/\.$/, "")).filter((domain) => domain !== "");
    if (word === "options")
      for (const option of rest) {
        const dots = /^ndots:(\d+)$/.exec(option)?.[1];
        if (dots !== undefined) ndots = Math.min(Number(dots), 15);
      }
  }
  return { domains, ndots };
};
