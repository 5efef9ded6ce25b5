import { DrayError } from "../errors.ts";
import { type ConfigDocument, findInConfig, parseConfig } from "./config-document.ts";
import { credentialOf, describeCredential, kindOf } from "./credential.ts";
import { credentialHelpers, type HelperOptions } from "./helper.ts";
import { bySpecificity, covers, parseServer, type Server } from "./server.ts";
import type { Credential, Keychain } from "./types.ts";

const prefix = "DRAY_REGISTRY_";
const fields = ["HOSTNAME", "USERNAME", "PASSWORD", "IDENTITY_TOKEN", "REGISTRY_TOKEN", "ANON"] as const;
type Field = (typeof fields)[number];
const variable = new RegExp(`^${prefix}(${fields.join("|")})(?:_(.+))?$`);

interface Group {
  readonly server: Server;
  readonly credential: Credential;
}

/**
 * Credentials from the environment: first `DRAY_REGISTRY_*`, then the docker configuration in `DOCKER_AUTH_CONFIG`.
 *
 * `DRAY_REGISTRY_HOSTNAME[_SUFFIX]` says for which `host[:port][/path]` a group is; a `*` in a label of the host stands for
 * any text. `…_USERNAME`, `…_PASSWORD`, `…_IDENTITY_TOKEN`, `…_REGISTRY_TOKEN` with the same suffix are the credential,
 * `…_ANON=true` keeps to anonymous access. Of several groups that fit, the most specific wins. Variables are read at the
 * first question and whenever `fresh` is asked for.
 * @throws DrayError `CONFIG_INVALID` from the keychain, naming the variable.
 * @example connect("ghcr.io", { credentials: chain(environment(), dockerConfig()) })
 */
export const environment = (
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: HelperOptions = {},
): Keychain => {
  let read: { groups: readonly Group[]; config: ConfigDocument | undefined } | undefined;
  const helpers = credentialHelpers({ env, ...options });
  return async (target, asked) => {
    if (read === undefined || asked?.fresh) read = { groups: readGroups(env), config: readAuthConfig(env) };
    const tell = asked?.onTried;
    const group = read.groups.find(({ server }) => covers(server, target));
    if (group !== undefined) {
      tell?.(group.credential.source, describeCredential(group.credential));
      return group.credential;
    }
    tell?.(`${prefix}*`, read.groups.length === 0 ? "not set" : `none for ${target.registry}`);
    if (read.config === undefined) {
      tell?.("DOCKER_AUTH_CONFIG", "not set");
      return undefined;
    }
    return findInConfig(read.config, target, helpers, asked);
  };
};

const readAuthConfig = (env: Readonly<Record<string, string | undefined>>): ConfigDocument | undefined => {
  const text = env["DOCKER_AUTH_CONFIG"];
  return text === undefined || text.trim() === "" ? undefined : parseConfig(text, "DOCKER_AUTH_CONFIG");
};

const readGroups = (env: Readonly<Record<string, string | undefined>>): Group[] => {
  const bySuffix = new Map<string, Map<Field, string>>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix)) continue;
    const match = variable.exec(name);
    if (match === null) {
      const known = fields.map((field) => prefix + field).join(", ");
      throw new DrayError("CONFIG_INVALID", `unknown variable ${name} in the environment; known are ${known}`);
    }
    if (value === undefined || value === "") continue;
    const [, field, suffix = ""] = match;
    const values = bySuffix.get(suffix) ?? new Map<Field, string>();
    bySuffix.set(suffix, values.set(field as Field, value));
  }
  return [...bySuffix]
    .sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }))
    .flatMap(([suffix, values]) => readGroup(suffix, values) ?? [])
    .sort((one, other) => bySpecificity(one.server, other.server));
};

/** A group without any secret (variables that a job may not see are set and empty) is as good as none. */
const readGroup = (suffix: string, values: ReadonlyMap<Field, string>): Group | undefined => {
  const name = (field: Field): string => `${prefix}${field}${suffix === "" ? "" : `_${suffix}`}`;
  const hostname = values.get("HOSTNAME");
  if (hostname === undefined) {
    const [field = "HOSTNAME"] = values.keys();
    const message = `${name(field)} is set, but ${name("HOSTNAME")}, which says for which registry, is not`;
    throw new DrayError("CONFIG_INVALID", message);
  }
  const server = parseServer(hostname);
  if (server === undefined || !hostGrammar.test(server.host)) {
    throw new DrayError("CONFIG_INVALID", `${name("HOSTNAME")} is "${hostname}"; expected host[:port][/path]`);
  }
  const source = `${name("HOSTNAME")} (${hostname})`;
  if (isTrue(name("ANON"), values.get("ANON"))) return { server, credential: { source } };
  const [password, identityToken] = [values.get("PASSWORD"), values.get("IDENTITY_TOKEN")];
  const registryToken = values.get("REGISTRY_TOKEN");
  const username = (password ?? registryToken ?? identityToken) === undefined ? undefined : values.get("USERNAME");
  const credential = credentialOf({ username, password, identityToken, registryToken }, source);
  return kindOf(credential) === "anonymous" ? undefined : { server, credential };
};

const hostGrammar = /^(?:[a-z0-9*_-]+(?:\.[a-z0-9*_-]+)*|\[[0-9a-f:.]+\])(?::\d+)?$/;

const isTrue = (name: string, value: string | undefined): boolean => {
  if (value === undefined || /^(?:false|0)$/i.test(value)) return false;
  if (/^(?:true|1)$/i.test(value)) return true;
  throw new DrayError("CONFIG_INVALID", `${name} is "${value}"; expected true or false`);
};
