import { DrayError, isDrayError } from "../errors.ts";
import { isObject } from "../oci/index.ts";
import { type ConfigEntry, entriesOf, entryCredential, memberKey, parseConfigText } from "./config-document.ts";
import { Credentials } from "./credentials.ts";
import { namesNoServer, parseServer } from "./server.ts";
import type { Credential } from "./types.ts";

/**
 * Reads a set of credentials, in whichever form it is kept: docker's configuration (`{"auths": {HOST: …}}`), the map alone (`{HOST: …}`, as
 * `.dockercfg` and Kubernetes have it), or the configuration of an instance of flux (`{"registry": {"auths": …}}`). Each entry has `auth`,
 * which is base64 of `user:password`, or `username` and `password`, or a token. An entry that makes no sense spoils none of the others: it is among
 * `faults`, and an error to who asks for it. Helpers that the text names are not asked: that does `dockerConfig`.
 * @param from where the text is from, for people: it stands in the `source` of each credential
 * @throws DrayError `CONFIG_INVALID` where the text is no JSON, or no set at all. Nothing of the text is in the message.
 * @example const credentials = parseCredentials(file, await readFile(file));
 */
export const parseCredentials = (from: string, bytes: Uint8Array | string): Credentials =>
  credentialsIn(from, parseConfigText(typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes), from));

/**
 * The same of what has been parsed already, by a reader of YAML, say.
 * @throws DrayError `CONFIG_INVALID`
 * @example credentialsIn("flux.yaml", parse(text))
 */
export const credentialsIn = (from: string, document: unknown): Credentials => {
  if (!isObject(document)) throw fault(from, 'holds no set of credentials; expected {"auths": {"HOST": …}}');
  const section = sectionOf(document);
  if (!isObject(section)) throw fault(from, '"auths" is no JSON object; correct it');
  const unnamed = Object.keys(section).filter((key) => parseServer(key) === undefined);
  if (unnamed.length > 0 && Object.keys(section).length === unnamed.length)
    throw fault(from, `the entry ${namesNoServer(unnamed[0] ?? "")}`);
  return new Credentials(
    [...entriesOf(section).values()].flatMap((entries) => {
      const found = firstFound(entries, from);
      return entries[0] === undefined || found === undefined ? [] : [[entries[0].key, found] as const];
    }),
  );
};

/** Where the entries stand. */
const sectionOf = (document: Record<string, unknown>): unknown => {
  const auths = document[memberKey(document, "auths")];
  if (auths !== undefined) return auths ?? {};
  const { registry } = document;
  if (isObject(registry) && Object.hasOwn(registry, "auths")) return registry["auths"] ?? {};
  // A docker configuration without credentials has other members, none of which looks like an entry.
  return Object.fromEntries(Object.entries(document).filter(([key, value]) => isHost(key) || isEntry(value)));
};

const isHost = (key: string): boolean => /[.:]|^localhost$/.test(key);

const members = new Set(["auth", "username", "password", "identitytoken", "registrytoken"]);
const isEntry = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).some((key) => members.has(key.toLowerCase()));

/** Docker leaves entries behind that have nothing in them, and people spell a host in several ways. */
const firstFound = (entries: readonly ConfigEntry[], from: string): Credential | DrayError | undefined => {
  for (const entry of entries) {
    try {
      const credential = entryCredential(entry, from);
      if (credential !== undefined) return credential;
    } catch (error) {
      if (isDrayError(error)) return error;
      throw error;
    }
  }
  return undefined;
};

const fault = (from: string, why: string): DrayError => new DrayError("CONFIG_INVALID", `${from}: ${why}`);
