import { redactUrl } from "../../http/index.ts";
import { type ConfigDocument, Table } from "./document.ts";
import { type Mirror, type MirrorRule, parseMirrorLocation } from "./rules.ts";

/** What `registries.conf` of podman, skopeo and buildah says, with its drop-ins. */
export interface RegistriesConf {
  readonly rules: readonly MirrorRule[];
  /** Where names without a registry are looked for, in this order. */
  readonly unqualifiedSearch: readonly string[];
  /** What is done where that is more than one. */
  readonly shortNameMode: "enforcing" | "permissive" | "disabled";
  /** Whole names by short ones. */
  readonly aliases: ReadonlyMap<string, string>;
  /** What is passed over, in words. */
  readonly notes: readonly string[];
}

const modes = ["enforcing", "permissive", "disabled"] as const;

/**
 * Reads `registries.conf`, version 2 or 1, and its drop-ins, in the order in which they are read: a later file replaces the tables of the same
 * prefix, the search list and the mode, and adds aliases (an empty one is taken away).
 * @throws DrayError `CONFIG_INVALID` naming file and table
 * @example const { rules } = registriesConf([{ file: "registries.conf", content: parse(text) }]);
 * @see https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
 */
export const registriesConf = (documents: readonly ConfigDocument[]): RegistriesConf => {
  const rules = new Map<string, MirrorRule>();
  const aliases = new Map<string, string>();
  const notes: string[] = [];
  let unqualifiedSearch: readonly string[] = [];
  let shortNameMode: RegistriesConf["shortNameMode"] = "permissive";
  for (const { file, content } of documents) {
    const root = new Table(content, file);
    // They are about credentials, and read elsewhere.
    root.any("credential-helpers");
    const before = [...rules.keys()];
    const own = root.has("registries")
      ? versionOne(root, file)
      : root.list("registry").map((table) => ruleOf(table, file, notes));
    for (const rule of own) {
      const same = rules.get(rule.prefix);
      if (same !== undefined && !before.includes(rule.prefix)) refuseContradiction(root, same, rule);
      rules.set(rule.prefix, rule);
    }
    unqualifiedSearch = root.texts("unqualified-search-registries") ?? versionOneSearch(root) ?? unqualifiedSearch;
    for (const each of unqualifiedSearch) {
      const { path } = parseMirrorLocation(each, `${file}: unqualified-search-registries`);
      if (path !== "") throw root.invalid(`"unqualified-search-registries" has "${each}"; expected host[:port]`);
    }
    const mode = root.text("short-name-mode") || undefined;
    if (mode !== undefined && !modes.includes(mode as (typeof modes)[number]))
      throw root.invalid(`"short-name-mode" is "${mode}"; expected ${modes.join(", ")}`);
    shortNameMode = (mode as RegistriesConf["shortNameMode"] | undefined) ?? shortNameMode;
    const named = root.any("aliases");
    if (named !== undefined) {
      const table = new Table(named, `${file}: aliases`);
      for (const name of Object.keys(named as object)) {
        const whole = table.text(name) as string;
        if (whole === "") aliases.delete(name);
        else aliases.set(name, whole);
      }
    }
    notes.push(...root.unknown());
  }
  return { rules: [...rules.values()], unqualifiedSearch, shortNameMode, aliases, notes };
};

const ruleOf = (table: Table, file: string, notes: string[]): MirrorRule => {
  const [location, said] = [clean(table, "location"), clean(table, "prefix")];
  const prefix = said ?? location;
  if (prefix === undefined) throw table.invalid("has neither prefix nor location");
  const isWildcard = prefix.startsWith("*.");
  if (isWildcard && !/^\*\.[^*/:@]+$/.test(prefix))
    throw table.invalid(`the prefix "${prefix}" is not *. in front of a host alone, as in *.example.com`);
  if (location === undefined && !isWildcard) throw table.invalid(`the prefix "${prefix}" has no location`);
  // No name has a star: podman takes such tables, and finds nothing that they are about.
  if (!isWildcard && prefix.includes("*"))
    notes.push(
      `${table.where}: no name begins with the prefix "${prefix}"; a star stands for hosts, as in *.example.com`,
    );
  const byDigestOnly = table.truth("mirror-by-digest-only") === true;
  const mirrors = table.list("mirror").map((each) => mirrorOf(each, byDigestOnly, notes));
  const insecure = table.truth("insecure") === true;
  const blocked = table.truth("blocked") === true;
  notes.push(...table.unknown());
  const isElsewhere = location !== undefined && location !== prefix;
  // What is insecure in a part of a registry alone is a place of its own.
  const isPartly = insecure && prefix.includes("/");
  return {
    prefix,
    from: file,
    mirrors,
    ...(insecure ? { insecure } : {}),
    ...(blocked ? { blocked } : {}),
    ...(isElsewhere || isPartly ? { primary: { location: location ?? "", ...(insecure ? { insecure } : {}) } } : {}),
  };
};

const mirrorOf = (table: Table, byDigestOnly: boolean, notes: string[]): Mirror => {
  const location = clean(table, "location");
  if (location === undefined) throw table.invalid("has no location");
  const pulls = table.text("pull-from-mirror") || undefined;
  if (pulls !== undefined && !["all", "digest-only", "tag-only"].includes(pulls))
    throw table.invalid(`"pull-from-mirror" is "${pulls}"; expected all, digest-only or tag-only`);
  if (pulls !== undefined && byDigestOnly)
    throw table.invalid(`"pull-from-mirror" cannot be together with "mirror-by-digest-only" of the registry`);
  const insecure = table.truth("insecure") === true;
  notes.push(...table.unknown());
  return {
    location,
    ...(byDigestOnly ? { pulls: "digest-only" as const } : {}),
    ...(pulls === undefined ? {} : { pulls: pulls as NonNullable<Mirror["pulls"]> }),
    ...(insecure ? { insecure } : {}),
  };
};

/** A prefix or a location, without what podman takes off. */
const clean = (table: Table, key: "prefix" | "location"): string | undefined => {
  const text = table.text(key)?.replace(/\/+$/, "");
  if (text === undefined || text === "") return undefined;
  if (/^https?:\/\//.test(text)) throw table.invalid(`"${key}" is "${redactUrl(text)}"; leave the scheme out`);
  if (!text.includes("*")) parseMirrorLocation(text, `${table.where}: "${key}"`);
  return text;
};

const refuseContradiction = (root: Table, one: MirrorRule, other: MirrorRule): void => {
  const differs = one.insecure !== other.insecure || one.blocked !== other.blocked;
  if (differs) throw root.invalid(`"${one.prefix}" is there twice, and the tables contradict one another`);
};

const listIn = (root: Table, kind: "search" | "insecure" | "block"): readonly string[] => {
  const registries = new Table(root.any("registries"), `${root.where}: registries`);
  return registries.has(kind)
    ? (new Table(registries.any(kind), `${root.where}: registries.${kind}`).texts("registries") ?? [])
    : [];
};

/** The form before: three lists, no mirrors. */
const versionOne = (root: Table, file: string): MirrorRule[] => {
  const [insecure, blocked] = [listIn(root, "insecure"), listIn(root, "block")];
  return [...new Set([...insecure, ...blocked])].map((prefix) => ({
    prefix,
    from: file,
    ...(insecure.includes(prefix) ? { insecure: true } : {}),
    ...(blocked.includes(prefix) ? { blocked: true } : {}),
  }));
};

const versionOneSearch = (root: Table): readonly string[] | undefined => {
  if (!root.has("registries")) return undefined;
  const search = listIn(root, "search");
  return search.length === 0 ? undefined : search;
};
