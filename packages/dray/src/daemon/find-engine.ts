import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { dockerConfigFile } from "../auth/index.ts";
import { defined } from "../defined.ts";
import { DrayError } from "../errors.ts";
import { errnoOf } from "../files/index.ts";
import type { TlsSettings } from "../http/index.ts";
import { isObject } from "../oci/index.ts";
import { type EngineAddress, usualAddresses } from "./address.ts";
import { contextAddress, pemFiles } from "./contexts.ts";

/** Which engine is meant. */
export interface FindEngineOptions extends TlsSettings {
  /** Its address, as `DOCKER_HOST` has it. Default: what the environment and docker's files say. */
  readonly host?: string | undefined;
  /** A docker context. Default: what the environment and docker's files say. */
  readonly context?: string | undefined;
  /** Default `process.env`: `DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `XDG_RUNTIME_DIR`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The user's home. Default: `HOME` of `env`, else what the system says. */
  readonly home?: string | undefined;
}

/**
 * Where the engine may be, in docker's own order: an address or context that was given, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context
 * of docker's configuration; where nobody says anything the usual sockets, one after the other.
 * @throws DrayError `CONFIG_INVALID` naming the variable or file
 */
export const findEngine = async (options: FindEngineOptions): Promise<readonly EngineAddress[]> => {
  const { host, context, env = process.env } = options;
  const home = options.home ?? (env["HOME"] || homedir());
  const file = dockerConfigFile(defined({ env, home }));
  const inContext = async (name: string, from: string): Promise<readonly EngineAddress[]> =>
    name === "default" ? usualAddresses(env, home) : [await contextAddress(name, dirname(file), from)];
  if (host !== undefined && context !== undefined)
    throw new DrayError("USAGE", "an engine is named by its host or by a context, and not by both");
  if (host !== undefined)
    return [{ host, from: "the host option", tls: givenTls(options) ?? (await environmentTls(env, file)) }];
  if (context !== undefined) return inContext(context, "the context option");
  const named = env["DOCKER_HOST"]?.trim();
  if (named) return [{ host: named, from: "DOCKER_HOST", tls: await environmentTls(env, file) }];
  const chosen = env["DOCKER_CONTEXT"];
  if (chosen) return inContext(chosen, "DOCKER_CONTEXT");
  const current = await currentContext(file);
  return inContext(current ?? "default", `currentContext in ${file}`);
};

const givenTls = ({ ca, cert, key, skipTlsVerify }: TlsSettings): TlsSettings | undefined =>
  ca === undefined && cert === undefined && skipTlsVerify === undefined ? undefined : { ca, cert, key, skipTlsVerify };

/** As docker does: any text in `DOCKER_TLS_VERIFY` means that the server is verified, and a folder of certificates that TLS is spoken. */
const environmentTls = async (
  env: Readonly<Record<string, string | undefined>>,
  configFile: string,
): Promise<TlsSettings | undefined> => {
  const [folder, verify] = [env["DOCKER_CERT_PATH"], Boolean(env["DOCKER_TLS_VERIFY"])];
  if (!folder && !verify && !env["DOCKER_TLS"]) return undefined;
  const found = await pemFiles(
    folder ? folder : dirname(configFile),
    folder ? "DOCKER_CERT_PATH" : "DOCKER_TLS_VERIFY",
  );
  if (folder && found === undefined)
    throw new DrayError("CONFIG_INVALID", `DOCKER_CERT_PATH: ${folder} has none of ca.pem, cert.pem and key.pem`);
  return { ...found, skipTlsVerify: verify ? undefined : true };
};

const currentContext = async (file: string): Promise<string | undefined> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    if (["ENOENT", "ENOTDIR", "EISDIR", "EACCES"].includes(errnoOf(cause) ?? "")) return "";
    throw new DrayError("CONFIG_INVALID", `cannot read ${file} (${errnoOf(cause)})`, { cause });
  });
  const { currentContext: name } = configOf(text, file);
  return typeof name === "string" && name !== "" ? name : undefined;
};

const configOf = (text: string, file: string): Readonly<Record<string, unknown>> => {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    return isObject(value) ? value : {};
  } catch {
    // Never with the parser's own words, which quote the text: there are secrets in it.
    throw new DrayError(
      "CONFIG_INVALID",
      `${file} is no valid JSON, so nobody knows which docker context is meant; correct it, or set DOCKER_HOST`,
    );
  }
};
