import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DrayError } from "../errors.ts";
import { isAbsent } from "../files/index.ts";
import { type ConfigDocument, findInConfig, memberKey, parseConfig, parseConfigText } from "./config-document.ts";
import { credentialHelpers, type HelperOptions } from "./helper.ts";
import type { Keychain } from "./types.ts";

/** Where the files of credentials are looked for. */
export interface ConfigFilesOptions {
  /** Where `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE` and the XDG folders are read from. Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The user's home. Default: `HOME` of `env`, else what the system says. */
  readonly home?: string | undefined;
  /** This file and no other, as from `--authfile`. It must exist. */
  readonly authFile?: string | undefined;
}

/** Where `dockerConfig` reads, and how it asks helpers. */
export interface DockerConfigOptions extends ConfigFilesOptions, HelperOptions {}

/**
 * The credentials that `docker login` and `podman login` have left: docker's `config.json`, then podman's `auth.json`, in
 * the order of `configFiles`. A file that has nothing for the registry passes on to the next. Files are read again when
 * they change.
 * @throws DrayError `CONFIG_INVALID` from the keychain where a file is there and cannot be read or understood.
 * @example const registry = connect("ghcr.io", { credentials: dockerConfig({ onWarning: console.error }) });
 */
export const dockerConfig = (options: DockerConfigOptions = {}): Keychain => {
  const documents = new Map<string, { readonly version: string; readonly document: ConfigDocument }>();
  const helpers = credentialHelpers(options);
  const warned = new Set<string>();
  return async (target, asked = {}) => {
    for (const file of configFiles(options)) {
      const version = await versionOf(file);
      if (typeof version === "string") {
        let known = documents.get(file);
        if (known?.version !== version || asked.fresh) {
          known = { version, document: parseConfig(await readText(file), file) };
          documents.set(file, known);
        }
        const credential = await findInConfig(known.document, target, helpers, asked);
        if (credential !== undefined) return credential;
        continue;
      }
      const { absent, blocked } = version;
      asked.onTried?.(file, absent);
      if (options.authFile !== undefined)
        throw new DrayError("CONFIG_INVALID", `${file}: ${absent}; name a file that docker or podman login wrote`);
      if (blocked && !warned.has(file)) {
        warned.add(file);
        options.onWarning?.(`${file} ${absent}; going on without it: check who may enter its folders`);
      }
    }
    return undefined;
  };
};

/**
 * The headers that docker's configuration wants on every request (`HttpHeaders`), without a User-Agent, which docker
 * leaves out too. Empty where the file or the member is missing.
 * @throws DrayError `CONFIG_INVALID` where the file cannot be read or understood.
 */
export const dockerHttpHeaders = async (options: ConfigFilesOptions = {}): Promise<[name: string, value: string][]> => {
  const file = options.authFile ?? dockerConfigFile(options);
  if (isAbsent(file)) return [];
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf((error as Error).cause))) return [];
    throw error;
  }
  const members = parseConfigText(text, file);
  const headers = members[memberKey(members, "HttpHeaders")];
  return Object.entries(typeof headers === "object" && headers !== null ? headers : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[0].toLowerCase() !== "user-agent",
  );
};

/** The configuration that docker writes: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export const dockerConfigFile = ({ env = process.env, home }: ConfigFilesOptions): string => {
  const folder = env["DOCKER_CONFIG"];
  return join(folder ? folder : join(homeOf(env, home), ".docker"), "config.json");
};

/**
 * The files that may hold credentials, in the order they are asked: docker's, then podman's.
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
const configFiles = (options: ConfigFilesOptions): string[] => {
  const { env = process.env, home, authFile } = options;
  if (authFile !== undefined) return [authFile];
  const containers = (folder: string | undefined): string[] =>
    folder ? [join(folder, "containers", "auth.json")] : [];
  const named = env["REGISTRY_AUTH_FILE"];
  return [
    dockerConfigFile(options),
    ...(named ? [named] : []),
    ...containers(env["XDG_RUNTIME_DIR"]),
    ...containers(env["XDG_CONFIG_HOME"] || join(homeOf(env, home), ".config")),
  ];
};

const homeOf = (env: Readonly<Record<string, string | undefined>>, home: string | undefined): string =>
  home ?? (env["HOME"] || homedir());

/** Why a file says nothing; `blocked`: nobody can tell whether it is there, which people should hear of. */
type Absence = { readonly absent: string; readonly blocked?: boolean };

/** Size, time and place on the disk: equal for a file that has not changed. */
const versionOf = async (file: string): Promise<string | Absence> => {
  try {
    const stats = await stat(file, { bigint: true });
    if (stats.isDirectory()) return { absent: "is a directory" };
    return [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(" ");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { absent: "no such file" };
    // A folder on the way that we may not enter, as after `su`, which keeps the other user's XDG_RUNTIME_DIR.
    return { absent: `cannot be reached (${code})`, blocked: true };
  }
};

/** @throws DrayError `CONFIG_INVALID` naming the file and the remedy. */
export const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = codeOf(error);
    const remedy =
      code === "EACCES" || code === "EPERM" ? "make it readable for this user, or name another" : "name another";
    const message = `cannot read ${file} (${code}); ${remedy} with DOCKER_CONFIG or REGISTRY_AUTH_FILE`;
    throw new DrayError("CONFIG_INVALID", message, { cause: error });
  }
};

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? "unknown error";
