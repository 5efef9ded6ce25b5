import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { defined } from "../defined.ts";
import { DrayError, firstOf } from "../errors.ts";
import { errnoOf } from "../files/index.ts";
import type { TlsSettings } from "../http/index.ts";
import { isObject, parseJson } from "../oci/index.ts";
import type { EngineAddress } from "./address.ts";

/** Folders of a context are called by the digest of its name, so there is one of each name, whatever others say of themselves. */
const folderOf = (name: string): string => createHash("sha256").update(name).digest("hex");

/**
 * The engine that a docker context names, by the files that `docker context create` writes.
 * @param folder docker's own, where its `config.json` lies
 * @throws DrayError `CONFIG_INVALID` naming the context and what is wrong with its files
 * @see https://docs.docker.com/engine/manage-resources/contexts/
 */
export const contextAddress = async (name: string, folder: string, from: string): Promise<EngineAddress> => {
  const file = join(folder, "contexts", "meta", folderOf(name), "meta.json");
  const bytes = await readFile(file).catch(async (cause: unknown) => {
    if (errnoOf(cause) !== "ENOENT" && errnoOf(cause) !== "ENOTDIR")
      throw new DrayError("CONFIG_INVALID", `${from}: cannot read ${file} (${errnoOf(cause)})`, { cause });
    const others = await contextNames(folder);
    const has = others.length === 0 ? "there is none" : `there are ${firstOf(others)}`;
    throw new DrayError("CONFIG_INVALID", `${from}: there is no docker context "${name}"; ${has}`, { cause });
  });
  const endpoint = endpointOf(bytes);
  if (endpoint === undefined)
    throw new DrayError(
      "CONFIG_INVALID",
      `${from}: ${file} of the context "${name}" names no host of an engine: it is damaged or was written half; make the context again`,
    );
  const tls = await contextTls(name, folder, endpoint["SkipTLSVerify"] === true);
  return { host: endpoint["Host"], from, tls };
};

const endpointOf = (bytes: Uint8Array): (Record<string, unknown> & { readonly Host: string }) | undefined => {
  let value: unknown;
  try {
    value = parseJson(bytes, "context");
  } catch {
    return undefined;
  }
  const endpoints = isObject(value) ? value["Endpoints"] : undefined;
  const endpoint = isObject(endpoints) ? endpoints["docker"] : undefined;
  if (!isObject(endpoint) || typeof endpoint["Host"] !== "string" || endpoint["Host"] === "") return undefined;
  return { ...endpoint, Host: endpoint["Host"] };
};

/** Names that contexts say of themselves, for a message; what cannot be read is left out. */
const contextNames = async (folder: string): Promise<string[]> => {
  const meta = join(folder, "contexts", "meta");
  const names: string[] = [];
  for (const entry of await readdir(meta).catch(() => [])) {
    const text = await readFile(join(meta, entry, "meta.json"), "utf8").catch(() => "");
    const name = /"Name"\s*:\s*"([^"]+)"/.exec(text)?.[1];
    if (name !== undefined && folderOf(name) === entry) names.push(name);
  }
  return names.sort();
};

const contextTls = async (name: string, folder: string, skip: boolean): Promise<TlsSettings | undefined> => {
  const files = await pemFiles(join(folder, "contexts", "tls", folderOf(name), "docker"), `the context "${name}"`);
  return files === undefined && !skip ? undefined : defined({ ...files, skipTlsVerify: skip ? true : undefined });
};

/**
 * Docker's three files in a folder; `undefined` where it has none of them.
 * @throws DrayError `CONFIG_INVALID` for a certificate without its key, and the other way round
 */
export const pemFiles = async (folder: string, from: string): Promise<TlsSettings | undefined> => {
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map((name) =>
      readFile(join(folder, name), "utf8").catch((cause: unknown) => {
        if (errnoOf(cause) === "ENOENT" || errnoOf(cause) === "ENOTDIR") return undefined;
        throw new DrayError("CONFIG_INVALID", `${from}: cannot read ${join(folder, name)} (${errnoOf(cause)})`, {
          cause,
        });
      }),
    ),
  );
  if ((cert === undefined) !== (key === undefined)) {
    const missing = join(folder, cert === undefined ? "cert.pem" : "key.pem");
    throw new DrayError(
      "CONFIG_INVALID",
      `${from}: ${missing} is not there, and the other half of it is; give both or none`,
    );
  }
  return ca === undefined && cert === undefined ? undefined : defined({ ca, cert, key });
};
