import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DrayError } from "../errors.ts";
import { type ConfigDocument, parseConfig } from "./config-document.ts";

/** Where the files of credentials are looked for. */
export interface ConfigFilesOptions {
  /** Where `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE` and the XDG folders are read from. Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The user's home. Default: `HOME` of `env`, else what the system says. */
  readonly home?: string | undefined;
  /** This file and no other, as from `--authfile`. It must exist. */
  readonly authFile?: string | undefined;
}

/** The configuration that docker writes: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export const dockerConfigFile = ({ env = process.env, home }: ConfigFilesOptions): string => {
  const folder = env["DOCKER_CONFIG"];
  return join(folder ? folder : join(homeOf(env, home), ".docker"), "config.json");
};

/**
 * The files that may hold credentials, in the order they are asked: docker's, then podman's.
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export const configFiles = (options: ConfigFilesOptions): string[] => {
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
export type Absence = { readonly absent: string; readonly blocked?: boolean };

export interface ConfigReader {
  /** @throws DrayError `CONFIG_INVALID` where the file is there and cannot be read or understood. */
  read(file: string, fresh: boolean): Promise<ConfigDocument | Absence>;
}

/** Reads configurations, each again only when its size, time or place on the disk has changed. */
export const configReader = (): ConfigReader => {
  const cache = new Map<string, { readonly stamp: string; readonly document: ConfigDocument }>();
  return {
    read: async (file, fresh) => {
      const found = await look(file);
      if ("absent" in found) return found;
      const known = cache.get(file);
      if (!fresh && known?.stamp === found.stamp) return known.document;
      const document = parseConfig(await readText(file), file);
      cache.set(file, { stamp: found.stamp, document });
      return document;
    },
  };
};

const look = async (file: string): Promise<{ stamp: string } | Absence> => {
  try {
    const stats = await stat(file, { bigint: true });
    if (stats.isDirectory()) return { absent: "is a directory" };
    return { stamp: [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(" ") };
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
