import { DrayError } from "../errors.ts";
import { isObject, parseRegistry } from "../oci/index.ts";
import { parseConfig } from "./config-document.ts";
import { type ConfigFilesOptions, codeOf, dockerConfigFile, readText } from "./config-files.ts";
import { helperFor } from "./config-lookup.ts";
import { updateConfig } from "./config-write.ts";
import { kindOf } from "./credential.ts";
import { type HelperOptions, tellHelper } from "./helper.ts";
import { dockerKey, parseServer } from "./server.ts";
import type { Credential } from "./types.ts";

/** Which configuration is changed, and how helpers are found. */
export interface LoginOptions extends ConfigFilesOptions, Omit<HelperOptions, "onWarning" | "now"> {
  readonly signal?: AbortSignal | undefined;
}

/** Where a credential was put or removed. */
export interface LoginPlace {
  /** The configuration file. */
  readonly file: string;
  /** Program that keeps the secret, where one does. */
  readonly helper?: string | undefined;
}

/**
 * Keeps a credential as `docker login` does: with the helper that the configuration names for the registry, else in
 * `auths` of the file itself. The registry is not asked whether the credential is any good.
 * @param registry `host[:port]`; a URL is taken too, as docker takes it.
 * @throws DrayError `REFERENCE_INVALID`; `USAGE` without a secret; `CONFIG_INVALID` where the file or the helper does not
 *   work; `DISK` where the file cannot be written.
 */
export const login = async (
  registry: string,
  credential: Omit<Credential, "source" | "expiresAt">,
  options: LoginOptions = {},
): Promise<LoginPlace> => {
  const host = loginHost(registry);
  if (kindOf({ ...credential, source: "" }) === "anonymous" || (credential.username && !hasSecret(credential))) {
    throw new DrayError("USAGE", `logging in to ${host} needs a user name with a password, or a token`, {
      registry: host,
    });
  }
  const { file, helper } = await storeFor(host, options);
  const { registryToken } = credential;
  // Helpers know two kinds of secret; this is the third, and only the file has a member for it.
  const keeper = registryToken ? undefined : helper;
  if (keeper !== undefined) {
    const from = `${keeper.member} in ${file}`;
    await tellHelper(keeper.name, "store", host, { ...credential, source: "" }, { ...options, from });
  }
  await updateConfig(
    file,
    (members) => {
      const auths = members["auths"];
      const entries = isObject(auths) ? auths : {};
      const key = dockerKey(host);
      // Docker leaves an empty entry where a helper has the secret: it shows who is logged in.
      entries[key] = { ...withoutSecrets(entries[key]), ...(keeper === undefined ? secretsOf(credential) : {}) };
      members["auths"] = entries;
      return true;
    },
    options,
  );
  return { file, ...(keeper === undefined ? {} : { helper: `docker-credential-${keeper.name}` }) };
};

/**
 * Forgets what `login` kept, under whatever spelling of the registry. `undefined`: there was nothing in the file.
 * @throws DrayError as `login` does.
 */
export const logout = async (registry: string, options: LoginOptions = {}): Promise<LoginPlace | undefined> => {
  const host = loginHost(registry);
  const { file, helper } = await storeFor(host, options);
  if (helper !== undefined) {
    await tellHelper(helper.name, "erase", host, undefined, { ...options, from: `${helper.member} in ${file}` });
  }
  let removed = false;
  await updateConfig(
    file,
    (members) => {
      const auths = members["auths"];
      if (!isObject(auths)) return false;
      for (const key of Object.keys(auths)) {
        const server = parseServer(key);
        if (server?.host !== host || server.path !== "") continue;
        delete auths[key];
        removed = true;
      }
      return removed;
    },
    options,
  );
  if (helper === undefined && !removed) return undefined;
  return { file, ...(helper === undefined ? {} : { helper: `docker-credential-${helper.name}` }) };
};

const loginHost = (registry: string): string => {
  const server = parseServer(registry);
  return parseRegistry(server === undefined || server.path !== "" ? registry : server.host);
};

const storeFor = async (host: string, options: LoginOptions) => {
  const file = options.authFile ?? dockerConfigFile(options);
  try {
    return { file, helper: helperFor(parseConfig(await readText(file), file), host) };
  } catch (error) {
    if (codeOf((error as Error).cause) === "ENOENT") return { file, helper: undefined };
    throw error;
  }
};

const hasSecret = ({ password, identityToken, registryToken }: Omit<Credential, "source">): boolean =>
  Boolean(password || identityToken || registryToken);

const secretsOf = ({ username, password, identityToken, registryToken }: Omit<Credential, "source">) => ({
  ...(username || password ? { auth: Buffer.from(`${username ?? ""}:${password ?? ""}`).toString("base64") } : {}),
  ...(identityToken ? { identitytoken: identityToken } : {}),
  ...(registryToken ? { registrytoken: registryToken } : {}),
});

const secretMembers = new Set(["auth", "username", "password", "identitytoken", "registrytoken"]);

const withoutSecrets = (entry: unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(isObject(entry) ? entry : {}).filter(([key]) => !secretMembers.has(key)));
