import { chown, readlink, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DrayError, isDrayError } from "../errors.ts";
import { type FileSystem, type Lock, lock, makeDirectory, nodeFiles, onDisk, writeFileAtomic } from "../files/index.ts";
import { systemClock } from "../http/index.ts";
import { refuseNumber } from "../numbers.ts";
import { isObject, parseRegistry } from "../oci/index.ts";
import { helperFor, memberKey, parseConfig, parseConfigText } from "./config-document.ts";
import { kindOf } from "./credential.ts";
import { type ConfigFilesOptions, codeOf, dockerConfigFile, readText } from "./docker-config.ts";
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
    const message = `logging in to ${host} needs a user name with a password, or a token`;
    throw new DrayError("USAGE", message, { registry: host });
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
      const at = memberKey(members, "auths");
      const auths = members[at];
      const entries = isObject(auths) ? auths : {};
      const key = dockerKey(host);
      // Docker leaves an empty entry where a helper has the secret: it shows who is logged in.
      entries[key] = { ...withoutSecrets(entries[key]), ...(keeper === undefined ? secretsOf(credential) : {}) };
      members[at] = entries;
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
      const auths = members[memberKey(members, "auths")];
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
  return { file, helper: helperFor(parseConfig(await textOf(file), file), host) };
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
  Object.fromEntries(
    Object.entries(isObject(entry) ? entry : {}).filter(([key]) => !secretMembers.has(key.toLowerCase())),
  );

export interface UpdateConfigOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait for others who write the same file. Default 10,000; they need milliseconds. */
  readonly lockTimeout?: number | undefined;
  readonly fs?: FileSystem | undefined;
}

/**
 * Changes a configuration under its lock, so that two who log in at once both stay logged in. Members nobody here knows
 * are kept, in their order; the text is indented by tabs as docker writes it. The file is replaced at once or not at all,
 * readable by its owner alone; one that is a symbolic link stays one.
 * @param change gets the members and says whether anything changed.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be understood, `DISK` where it cannot be written, `LOCKED`; it is unchanged then.
 */
export const updateConfig = async (
  file: string,
  change: (members: Record<string, unknown>) => boolean,
  options: UpdateConfigOptions = {},
): Promise<void> => {
  const { fs = nodeFiles } = options;
  const target = await linkTarget(file);
  await onDisk("make the folder of", file, () => makeDirectory(dirname(target), 0o700));
  const held = await waitForLock(fs, target, options);
  try {
    const members = parseConfigText(await textOf(target), file);
    if (!change(members)) return;
    const before = await stat(target).catch(() => undefined);
    const text = new TextEncoder().encode(JSON.stringify(members, null, "\t"));
    await writeFileAtomic(fs, target, text, { mode: 0o600 });
    // Under sudo the file must not become root's. Whoever may not give files away owns it already, or takes it over.
    if (before !== undefined) await chown(target, before.uid, before.gid).catch(() => {});
  } finally {
    await held.release();
  }
};

const waitForLock = async (fs: FileSystem, target: string, options: UpdateConfigOptions): Promise<Lock> => {
  const { signal, lockTimeout = 10_000 } = options;
  refuseNumber("lockTimeout", lockTimeout, { from: 0, fractions: true });
  const since = performance.now();
  for (;;) {
    try {
      return await lock(fs, target, target);
    } catch (error) {
      if (!isDrayError(error, "LOCKED") || performance.now() - since >= lockTimeout) throw error;
    }
    await systemClock.sleep(10 + Math.random() * 40, signal);
  }
};

/** The text of a configuration; that of one which is not there is empty. */
const textOf = async (file: string): Promise<string> => {
  try {
    return await readText(file);
  } catch (error) {
    if (codeOf((error as Error).cause) === "ENOENT") return "";
    throw error;
  }
};

/** The file a chain of symbolic links ends at, even if nothing is there yet. */
const linkTarget = async (file: string): Promise<string> => {
  try {
    return await realpath(file);
  } catch {
    let at = resolve(file);
    for (let hops = 0; hops < 40; hops++) {
      const next = await readlink(at).catch(() => undefined);
      if (next === undefined) return at;
      at = resolve(dirname(at), next);
    }
    throw new DrayError("CONFIG_INVALID", `${file} is a circle of symbolic links; remove it`);
  }
};
