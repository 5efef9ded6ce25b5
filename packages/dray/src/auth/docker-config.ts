import { DrayError } from "../errors.ts";
import { parseConfigText } from "./config-document.ts";
import {
  type ConfigFilesOptions,
  codeOf,
  configFiles,
  configReader,
  dockerConfigFile,
  readText,
} from "./config-files.ts";
import { findInConfig } from "./config-lookup.ts";
import { credentialHelpers, type HelperOptions } from "./helper.ts";
import type { Keychain } from "./types.ts";

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
  const reader = configReader();
  const helpers = credentialHelpers(options);
  const warned = new Set<string>();
  return async (target, asked = {}) => {
    for (const file of configFiles(options)) {
      const document = await reader.read(file, asked.fresh ?? false);
      if (!("absent" in document)) {
        const credential = await findInConfig(document, target, helpers, asked);
        if (credential !== undefined) return credential;
        continue;
      }
      asked.onTried?.(file, document.absent);
      if (options.authFile !== undefined) {
        throw new DrayError(
          "CONFIG_INVALID",
          `${file}: ${document.absent}; name a file that docker or podman login wrote`,
        );
      }
      if (document.blocked && !warned.has(file)) {
        warned.add(file);
        options.onWarning?.(`${file} ${document.absent}; going on without it: check who may enter its folders`);
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
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf((error as Error).cause))) return [];
    throw error;
  }
  const headers = parseConfigText(text, file)["HttpHeaders"];
  return Object.entries(typeof headers === "object" && headers !== null ? headers : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[0].toLowerCase() !== "user-agent",
  );
};
