import { DrayError } from "../errors.ts";
import { type ConfigDocument, findInConfig, parseConfig, withoutSpace } from "./config-document.ts";
import { credentialOf, describeCredential, kindOf } from "./credential.ts";
import { credentialHelpers, type HelperOptions } from "./helper.ts";
import { bySpecificity, covers, parseServer, type Server } from "./server.ts";
import type { Credential, Keychain } from "./types.ts";

const prefix = "DRAY_REGISTRY_";
const fields = ["HOSTNAME", "USERNAME", "PASSWORD", "IDENTITY_TOKEN", "REGISTRY_TOKEN", "ANON"] as const;
type Field = (typeof fields)[number];
const variable = new RegExp(`^${prefix}(${fields.join("|")})(?:_(.+))?$`);
/** What Kubernetes tells every container of a service called `dray-registry`, or with a name that begins so. */
const foreign =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

interface Group {
  readonly server: Server;
  readonly credential: Credential;
}

/**
 * Credentials from the environment: first `DRAY_REGISTRY_*`, then the docker configuration in `DOCKER_AUTH_CONFIG`.
 *
 * `DRAY_REGISTRY_HOSTNAME[_SUFFIX]` says for which `host[:port][/path]` a group is; a `*` in a label of the host stands for
 * any text. `…_USERNAME`, `…_PASSWORD`, `…_IDENTITY_TOKEN`, `…_REGISTRY_TOKEN` with the same suffix are the credential,
 * `…_ANON=true` keeps to anonymous access. Of several groups that fit, the most specific wins. Blank variables are none, a line end after a
 * value is no part of it, and a group that lacks its secret is passed over. Variables are read at the first question and whenever `fresh` is
 * asked for.
 * @throws DrayError `CONFIG_INVALID` from the keychain, naming the variable.
 * @example connect("ghcr.io", { credentials: chain(environment(), dockerConfig()) })
 */
export const environment = (
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: HelperOptions = {},
): Keychain => {
  let read: (Groups & { config: ConfigDocument | undefined }) | undefined;
  const helpers = credentialHelpers({ env, ...options });
  return async (target, asked) => {
    if (read === undefined || asked?.fresh) read = { ...readGroups(env), config: readAuthConfig(env) };
    const tell = asked?.onTried;
    const group = read.groups.find(({ server }) => covers(server, target));
    if (group !== undefined) {
      tell?.(group.credential.source, describeCredential(group.credential));
      return group.credential;
    }
    for (const { name, why } of read.passedOver) tell?.(name, why);
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

interface Groups {
  /** The most specific first. */
  readonly groups: readonly Group[];
  /** Variables that say nothing, and why. */
  readonly passedOver: readonly { readonly name: string; readonly why: string }[];
}

const readGroups = (env: Readonly<Record<string, string | undefined>>): Groups => {
  const bySuffix = new Map<string, Map<Field, string>>();
  const passedOver: { name: string; why: string }[] = [];
  for (const [name, text = ""] of Object.entries(env)) {
    if (!name.startsWith(prefix)) continue;
    const match = variable.exec(name);
    if (foreign.test(name) && (match === null || /^(?:[a-z]+:\/\/|[0-9a-f.:]*$)/.test(text))) {
      passedOver.push({ name, why: "of a service in Kubernetes, no setting" });
      continue;
    }
    if (match === null) {
      const known = fields.map((field) => prefix + field).join(", ");
      throw new DrayError("CONFIG_INVALID", `unknown variable ${name} in the environment; known are ${known}`);
    }
    const [, field, suffix = ""] = match;
    const value = valueOf(field as Field, text);
    if (value === "") {
      passedOver.push({ name, why: "blank" });
      continue;
    }
    const values = bySuffix.get(suffix) ?? new Map<Field, string>();
    bySuffix.set(suffix, values.set(field as Field, value));
  }
  const groups = [...bySuffix]
    .sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }))
    .flatMap(([suffix, values]) => {
      const group = readGroup(suffix, values);
      if (group !== undefined) return group;
      const secrets = secretFields.map((each) => nameOf(each, suffix)).join(", ");
      passedOver.push({ name: nameOf("HOSTNAME", suffix), why: `set, but without a secret (${secrets})` });
      return [];
    })
    .sort((one, other) => bySpecificity(one.server, other.server));
  return { groups, passedOver };
};

const secretFields = ["PASSWORD", "IDENTITY_TOKEN", "REGISTRY_TOKEN"] as const;

/** A password may begin and end with spaces; no secret ends with the line that it was read from. */
const valueOf = (field: Field, text: string): string => {
  if (field !== "PASSWORD") return text.trim();
  return text.trim() === "" ? "" : text.replace(/[\r\n]+$/, "");
};

const nameOf = (field: Field, suffix: string): string => `${prefix}${field}${suffix === "" ? "" : `_${suffix}`}`;

/** A group without any secret (variables that a job may not see are set and empty) is as good as none. */
const readGroup = (suffix: string, values: ReadonlyMap<Field, string>): Group | undefined => {
  const name = (field: Field): string => nameOf(field, suffix);
  const hostname = values.get("HOSTNAME");
  if (hostname === undefined) {
    const [field = "HOSTNAME"] = values.keys();
    const message = `${name(field)} is set, but ${name("HOSTNAME")}, which says for which registry, is not`;
    throw new DrayError("CONFIG_INVALID", message);
  }
  const server = parseServer(hostname);
  if (server === undefined || !hostGrammar.test(server.host)) {
    // A password in front is no part of a host.
    const shown = hostname.replace(/^.*@/, "…@");
    throw new DrayError("CONFIG_INVALID", `${name("HOSTNAME")} is "${shown}"; expected host[:port][/path]`);
  }
  const source = `${name("HOSTNAME")} (${hostname})`;
  if (isTrue(name("ANON"), values.get("ANON"))) return { server, credential: { source } };
  const password = values.get("PASSWORD");
  const [identityToken, registryToken] = [values.get("IDENTITY_TOKEN"), values.get("REGISTRY_TOKEN")].map(withoutSpace);
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
