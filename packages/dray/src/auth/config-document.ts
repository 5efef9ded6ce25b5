import { DrayError } from "../errors.ts";
import { isObject } from "../oci/index.ts";
import { credentialOf, describeCredential } from "./credential.ts";
import type { CredentialHelpers } from "./helper.ts";
import { hostKey, parseServer, pathsOf } from "./server.ts";
import type { Credential, KeychainOptions, KeychainTarget } from "./types.ts";

/** What a docker `config.json` or a podman `auth.json` says of credentials, ready to be looked up. */
export interface ConfigDocument {
  /** The file or variable it came from. */
  readonly source: string;
  /** By `host/path`; docker's own spelling of a key before others that mean the same. */
  readonly auths: ReadonlyMap<string, readonly ConfigEntry[]>;
  /** Name of the helper by host. */
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

export interface ConfigEntry {
  /** The key as it is written. */
  readonly key: string;
  readonly value: unknown;
}

type Members = Record<string, unknown>;

/**
 * Reads the text of a configuration. A byte order mark is skipped, an empty file means `{}`: both occur in the wild.
 * @throws DrayError `CONFIG_INVALID` naming the source. Never with the parser's own words: they quote the text, and with it secrets.
 */
export const parseConfigText = (text: string, source: string): Members => {
  const bare = text.replace(/^\uFEFF/, "");
  if (bare.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(bare);
  } catch {
    throw new DrayError("CONFIG_INVALID", `${source} is no valid JSON; correct it or move it away and log in again`);
  }
  if (!isObject(value)) {
    throw new DrayError("CONFIG_INVALID", `${source} holds no JSON object; expected {"auths": …}`);
  }
  return value;
};

/**
 * Under which key a member stands. Docker and podman take `Auths` and `credSstore` too: the letters count for them, not their case.
 * The exact one goes before.
 */
export const memberKey = (members: Members, name: string): string =>
  Object.hasOwn(members, name)
    ? name
    : (Object.keys(members).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name);

/** @throws DrayError `CONFIG_INVALID` naming the source and the member. */
export const parseConfig = (text: string, source: string): ConfigDocument => {
  const members = parseConfigText(text, source);
  const credHelpers = new Map<string, string>();
  for (const [key, value] of Object.entries(section(members, "credHelpers", source))) {
    const server = parseServer(key);
    if (server === undefined) continue;
    if (typeof value === "string") credHelpers.set(server.host, value.trim());
    // As programs in Go read it: an empty text.
    else if (value === null) credHelpers.set(server.host, "");
  }
  const credsStore = members[memberKey(members, "credsStore")];
  return {
    source,
    auths: entriesOf(section(members, "auths", source)),
    credHelpers,
    credsStore: (typeof credsStore === "string" && credsStore.trim()) || undefined,
  };
};

/** The entries of an `auths` by `host/path`. A key that names no server is left out. */
export const entriesOf = (section: Members): ReadonlyMap<string, readonly ConfigEntry[]> => {
  const auths = new Map<string, ConfigEntry[]>();
  for (const [key, value] of Object.entries(section)) {
    const server = parseServer(key);
    if (server === undefined) continue;
    const name = lookupKey(server.host, server.path);
    const entries = auths.get(name) ?? [];
    // `https://index.docker.io/v1/` is how docker writes Docker Hub, the bare host how it writes all others.
    if (key === name || key.endsWith("index.docker.io/v1/")) entries.unshift({ key, value });
    else entries.push({ key, value });
    auths.set(name, entries);
  }
  return auths;
};

/** The key of `auths` for a path on a host. */
const lookupKey = (host: string, path: string): string => (path === "" ? hostKey(host) : `${hostKey(host)}/${path}`);

/** The helper that keeps the secrets of a host, and the member of the file that says so. A host whose helper is blank has none: the file itself is meant. */
export const helperFor = (document: ConfigDocument, host: string): { name: string; member: string } | undefined => {
  const own = document.credHelpers.get(hostKey(host));
  if (own !== undefined) return own === "" ? undefined : { name: own, member: "credHelpers" };
  return document.credsStore === undefined ? undefined : { name: document.credsStore, member: "credsStore" };
};

/**
 * What one configuration has for a target: entries for a path on the host first, the longest first (podman's way), then
 * the helper of the host, then the helper of all, then the entry of the host.
 */
export const findInConfig = async (
  document: ConfigDocument,
  target: KeychainTarget,
  helpers: CredentialHelpers,
  options: KeychainOptions = {},
): Promise<Credential | undefined> => {
  const { source } = document;
  const host = hostKey(target.registry);
  const inAuths = (path: string): Credential | undefined => {
    for (const entry of document.auths.get(lookupKey(host, path)) ?? []) {
      const credential = entryCredential(entry, source);
      if (credential === undefined) continue;
      options.onTried?.(credential.source, describeCredential(credential));
      return credential;
    }
    return undefined;
  };

  for (const path of pathsOf(target.repository)) {
    const credential = path === "" ? undefined : inAuths(path);
    if (credential !== undefined) return credential;
  }
  const helper = helperFor(document, host);
  if (helper !== undefined) {
    const credential = await helpers.get(helper.name, host, { ...options, from: `${helper.member} in ${source}` });
    if (credential !== undefined) return credential;
  }
  const credential = inAuths("");
  if (credential === undefined) options.onTried?.(source, `no entry for ${host}`);
  return credential;
};

/**
 * The credential of an entry, if it holds one: docker leaves empty entries behind where a helper keeps the secret.
 * `auth` is base64 of `user:password`, with or without padding, and wins over members of their own.
 * @throws DrayError `CONFIG_INVALID` naming the source and the key.
 */
export const entryCredential = ({ key, value }: ConfigEntry, source: string): Credential | undefined => {
  if (value === null) return undefined;
  if (!isObject(value)) throw entryFault(key, source, "is no JSON object");
  const text = (name: string): string | undefined => {
    const member = value[memberKey(value, name)];
    if (member === undefined || member === null || member === "") return undefined;
    if (typeof member !== "string") throw entryFault(key, source, `has a member "${name}" that is no text`);
    return member;
  };
  const auth = text("auth");
  const pair = auth === undefined ? { username: text("username"), password: text("password") } : decodeAuth(auth);
  if (pair === undefined) throw entryFault(key, source, 'has an "auth" that is not base64 of user:password');
  const [username, password] = [pair.username, pair.password].map(withoutLineEnd);
  // A token has no white space in it: what a wrapped or padded value brings along is none of its own.
  const [identityToken, registryToken] = [text("identitytoken"), text("registrytoken")].map(withoutSpace);
  if (!password && (registryToken ?? identityToken) === undefined) return undefined;
  return credentialOf({ username, password, identityToken, registryToken }, `${source} (auths, "${key}")`);
};

/** `user:password` of an `auth` member. `base64` wraps long lines; NULs at its end are what some old clients padded with. */
const decodeAuth = (auth: string): { username: string; password: string } | undefined => {
  const bare = auth.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(bare)) return undefined;
  const text = Buffer.from(bare, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0
    ? undefined
    : { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
};

/** What was read from a file may have brought its line end along, and no name or password ends with one: HTTP could not say it. */
const withoutLineEnd = (text: string | undefined): string | undefined => text?.replace(/[\r\n]+$/, "");

export const withoutSpace = (token: string | undefined): string | undefined => token?.replace(/\s+/g, "") || undefined;

const entryFault = (key: string, source: string, why: string): DrayError =>
  new DrayError("CONFIG_INVALID", `${source}: the entry "${key}" of "auths" ${why}; log in to it again`);

const section = (members: Members, name: string, source: string): Members => {
  const value = members[memberKey(members, name)];
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new DrayError("CONFIG_INVALID", `${source}: "${name}" is no JSON object; correct it`);
  return value;
};
