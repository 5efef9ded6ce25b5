import { isRepository } from "dray/oci";
import type { Route } from "./call.ts";
import { endpoints } from "./table.ts";

/** Paths without a repository. */
const whole = new Map<string, Route>();
/** What comes behind a repository: text, and a name behind that or nothing. */
const behind: { readonly kind: string; readonly text: string; readonly named: boolean }[] = [];
for (const { kind, paths } of endpoints)
  for (const path of paths) {
    const [, rest] = path.split("<name>");
    const text = rest?.replace(/<.*>$/, "");
    if (rest === undefined || text === undefined) whole.set(path, { kind });
    else behind.push({ kind, text, named: text !== rest });
  }
// What is written out counts before what may be anything, and more of it before less.
behind.sort((a, b) => Number(a.named) - Number(b.named) || b.text.length - a.text.length);

const unknown: Route = { kind: "unknown" };

/**
 * Reads a raw path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. A name is
 * compared as it was written: what is escaped in it is no part of any grammar, except the colon of a digest.
 */
export const routeOf = (path: string): Route => {
  const found = whole.get(path);
  if (found !== undefined) return found;
  if (!path.startsWith("/v2/")) return unknown;
  const last = path.lastIndexOf("/") + 1;
  for (const { kind, text, named } of behind) {
    const end = named ? last : path.length;
    if (!path.endsWith(text, end)) continue;
    const repository = path.slice("/v2/".length, end - text.length);
    if (!isRepository(repository) || repository.length > 255) return { kind: "invalid", name: repository };
    return named ? { kind, repository, name: unescaped(path.slice(last)) } : { kind, repository };
  }
  return unknown;
};

/** Some clients escape the colon of a digest. */
const unescaped = (text: string): string => (text.includes("%3") ? text.replace(/%3a/gi, ":") : text);
