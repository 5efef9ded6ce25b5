import type { HeaderPairs } from "../../http/index.ts";
import { type ConfigDocument, Table } from "./document.ts";
import { hasSettings, type Mirror, type MirrorRule, parseMirrorLocation } from "./rules.ts";

/** What surrounds a `hosts.toml`. */
export interface HostsTomlOptions {
  /** The registry that its folder is named after; of `_default`, the one that is asked for. */
  readonly registry: string;
  /** The text of a file that it names, from its own folder on. */
  readonly readFile: (name: string) => Promise<string>;
}

/** What `hosts.toml` says. */
export interface HostsToml {
  readonly rule: MirrorRule;
  /** What is passed over, in words. */
  readonly notes: readonly string[];
}

/**
 * Reads `hosts.toml` of containerd: its hosts in their order, then its `server`, or where it names none the registry itself. What it does not
 * know is passed over, as containerd does, and told.
 * @throws DrayError `CONFIG_INVALID` naming file and table; what `readFile` throws
 * @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export const hostsToml = async (
  { file, content }: ConfigDocument,
  { registry, readFile }: HostsTomlOptions,
): Promise<HostsToml> => {
  const root = new Table(content, file);
  const server = root.text("server") || undefined;
  const mirrors: Mirror[] = [];
  const notes: string[] = [];
  for (const [name, table] of root.tables("host")) {
    mirrors.push(await hostOf(table, name, readFile));
    notes.push(...table.unknown());
  }
  const last = await hostOf(root, server, readFile);
  notes.push(...root.unknown());
  const isItself = isOwn(last, registry);
  const rule = { prefix: registry, from: file, mirrors, ...(isItself ? {} : { primary: last }) };
  return { rule, notes };
};

/** `https://registry-1.docker.io` and the registry's own name are the registry itself, unless something else is said of it. */
const isOwn = (mirror: Mirror, registry: string): boolean => {
  const own = registry === "docker.io" ? "https://registry-1.docker.io" : `https://${registry}`;
  return (mirror.location === "" || mirror.location === own) && !hasSettings(mirror);
};

/** @param name none: the registry itself, as it is called */
const hostOf = async (
  table: Table,
  name: string | undefined,
  readFile: HostsTomlOptions["readFile"],
): Promise<Mirror> => {
  const overrides = table.truth("override_path") === true;
  const { location, apiPath } =
    name === undefined ? { location: "", apiPath: "/v2" } : addressOf(table, name, overrides);
  const capabilities = table.texts("capabilities") ?? [];
  const wrong = capabilities.find((each) => !["pull", "resolve", "push", "referrers"].includes(each));
  if (wrong !== undefined) throw table.invalid(`"capabilities" has "${wrong}"; expected pull, resolve, push`);
  const known = capabilities.filter((each) => each === "pull" || each === "resolve");
  const ca = await Promise.all((table.textOrTexts("ca") ?? []).map(readFile));
  // They are containerd's own affair.
  table.any("dial_timeout");
  const headers = headersOf(table);
  return {
    location,
    namesOrigin: true,
    ...(apiPath === "/v2" ? {} : { apiPath }),
    ...(capabilities.length === 0 ? {} : { capabilities: known }),
    ...(ca.length === 0 ? {} : { ca }),
    ...(headers.length === 0 ? {} : { headers }),
    ...(table.truth("skip_verify") === true ? { skipTlsVerify: true } : {}),
    ...(await clientOf(table, readFile)),
  };
};

const addressOf = (table: Table, name: string, overrides: boolean): { location: string; apiPath: string } => {
  const url = /^https?:\/\//.test(name) ? name : `https://${name}`;
  const { host, path } = parseMirrorLocation(url, table.where);
  const below = path === "" ? "" : `/${path}`;
  return { location: host, apiPath: overrides || below.endsWith("/v2") ? below : `${below}/v2` };
};

const headersOf = (table: Table): HeaderPairs => {
  const said = table.any("header");
  if (said === undefined) return [];
  const headers = new Table(said, `${table.where}: header`);
  return Object.keys(said as object).flatMap((name) =>
    (headers.textOrTexts(name) ?? []).map((value) => [name, value] as const),
  );
};

/** Our certificate and its key: one file with both, or a pair of files. Of several the first is taken. */
const clientOf = async (
  table: Table,
  readFile: HostsTomlOptions["readFile"],
): Promise<Pick<Mirror, "cert" | "key">> => {
  const said = table.any("client");
  if (said === undefined) return {};
  const first: unknown = Array.isArray(said) ? said[0] : said;
  const [cert, key = cert] = Array.isArray(first) ? (first as unknown[]) : [first];
  if (typeof cert !== "string" || typeof key !== "string" || cert === "")
    throw table.invalid(`"client" has to be a file with certificate and key, or a list of pairs of both`);
  return { cert: await readFile(cert), key: await readFile(key === "" ? cert : key) };
};
