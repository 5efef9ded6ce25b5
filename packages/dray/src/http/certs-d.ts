import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DrayError } from "../errors.ts";
import { isAbsent } from "../files/index.ts";
import type { Environment } from "./proxy.ts";

/** Where folders of certificates lie, and whether there has to be one. */
export interface CertsDOptions {
  /** A host that no folder knows is an error. Default: it has no settings of its own. */
  readonly required?: boolean | undefined;
  /** Where to look, the first that knows the host wins. Default: where podman and docker look. */
  readonly dirs?: readonly string[];
}

/** What the folders hold for a host, as PEM: authorities, and certificates with their keys, in step. */
export interface CertsDSettings {
  readonly ca: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
}

/** The user's own before the system's; podman's before docker's, as podman reads both. The second is docker's when it runs without root. */
export const certsDirs = (env: Environment = process.env): string[] => {
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return [
    join(config, "containers/certs.d"),
    join(config, "docker/certs.d"),
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ];
};

/**
 * TLS settings of docker and podman for a registry: in `certs.d/HOST:PORT/` each `*.crt` is an authority and each `*.cert` with its `*.key` is our
 * certificate. `undefined`: nobody says anything of this host.
 * @throws DrayError `CONFIG_INVALID` naming a file that cannot be read, a certificate without its key, or where a `required` folder was looked for.
 * @see https://docs.docker.com/engine/security/certificates/
 * @see https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md
 */
export const certsD = async (
  host: string,
  { dirs = certsDirs(), required = false }: CertsDOptions = {},
): Promise<CertsDSettings | undefined> => {
  for (const dir of dirs) {
    const folder = join(dir, host);
    const names = await namesIn(folder);
    if (names !== undefined) return readSettings(folder, names.sort());
  }
  if (required) {
    const lookedFor = dirs.map((dir) => join(dir, host)).join(", ");
    throw new DrayError("CONFIG_INVALID", `there are no certificates "${host}": looked for ${lookedFor}`);
  }
  return undefined;
};

const readSettings = async (folder: string, names: readonly string[]): Promise<CertsDSettings> => {
  const ending = (end: string) => names.filter((name) => name.endsWith(end));
  const partner = (name: string, end: string, kind: string) => {
    const wanted = name.replace(/\.(?:cert|key)$/, end);
    if (names.includes(wanted)) return wanted;
    const lacks = `${join(folder, name)} lacks its ${kind} ${wanted}`;
    throw new DrayError("CONFIG_INVALID", `${lacks}; a certificate authority must be named *.crt`);
  };
  for (const name of ending(".key")) partner(name, ".cert", "certificate");
  const certs = ending(".cert");
  const keys = certs.map((name) => partner(name, ".key", "key"));
  const read = (files: readonly string[]) => Promise.all(files.map((name) => readText(join(folder, name))));
  const [ca, cert, key] = await Promise.all([read(ending(".crt")), read(certs), read(keys)]);
  return { ca, cert, key };
};

const namesIn = async (folder: string): Promise<string[] | undefined> =>
  isAbsent(folder)
    ? undefined
    : readdir(folder).catch((cause: NodeJS.ErrnoException) =>
        cause.code === "ENOENT" || cause.code === "ENOTDIR" ? undefined : unreadable(folder, cause),
      );

const readText = (file: string): Promise<string> => readFile(file, "utf8").catch((cause) => unreadable(file, cause));

const unreadable = (path: string, cause: NodeJS.ErrnoException): never => {
  const why = cause.code ?? cause.message;
  throw new DrayError("CONFIG_INVALID", `cannot read ${path}: ${why}; check its owner and permissions`, { cause });
};
