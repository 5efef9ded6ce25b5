import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DrayError } from "dray/errors";
import {
  type ConfigDocument,
  dockerMirrors,
  hostsToml,
  type MirrorRule,
  type RegistriesConf,
  registriesConf,
} from "dray/registry";
import type { Environment } from "../environment.ts";
import { jsonOf, textOf, tomlOf } from "./documents.ts";
import { dropIns, namesIn, registriesConfFiles } from "./places.ts";

/** What the files say. */
export interface MirrorFiles {
  /** The rules that hold for a registry. */
  rulesFor(registry: string): readonly MirrorRule[];
  /** What of them is passed over, in words. */
  readonly notes: readonly string[];
  /** What they say of names without a registry. */
  readonly shortNames: ShortNames;
}

export type ShortNames = Pick<RegistriesConf, "aliases" | "unqualifiedSearch" | "shortNameMode">;

/** A name without a registry is Docker Hub's. */
export const noShortNames: ShortNames = { aliases: new Map(), unqualifiedSearch: [], shortNameMode: "permissive" };

export interface ReadMirrorsOptions {
  /** A file or folder to read in place of all others; `false`: nothing is read. */
  readonly said: string | false | undefined;
  /** What it was said by: `--mirrors`. */
  readonly named: string;
  readonly env: Environment;
  /** Whether names without a registry are of interest: what is about those alone is not read otherwise. */
  readonly shortNames?: boolean | undefined;
  /** A folder that stands for `/etc/containers`. */
  readonly system?: string | undefined;
}

/**
 * Reads what is said of mirrors: what is named, else what podman and skopeo read. `undefined`: nothing is said.
 * @throws DrayError `CONFIG_INVALID` naming the file
 */
export const readMirrors = async (options: ReadMirrorsOptions): Promise<MirrorFiles | undefined> => {
  const { said, named, env, system, shortNames = false } = options;
  if (said === false && !shortNames) return undefined;
  if (typeof said === "string") return readNamed(said, named);
  const variable = env["CONTAINERS_REGISTRIES_CONF"] ? "CONTAINERS_REGISTRIES_CONF: " : "";
  const files = await registriesConfFiles(env, system);
  const found = await registriesConfOf(files, variable, shortNames).catch((error: unknown) => {
    throw withWayOut(error);
  });
  if (said === false) return { ...fromConf({ ...found, notes: [] }), rulesFor: () => [] };
  // Nobody has named these files: what podman passes over in silence is no news.
  return found.rules.length === 0 && !shortNames ? undefined : fromConf({ ...found, notes: [] });
};

const withWayOut = (error: unknown): unknown =>
  error instanceof DrayError
    ? new DrayError(error.code, `${error.message}, or pass it over with --no-mirrors`, { cause: error })
    : error;

/** Whatever lies there, told by its name; who names a file hears what is wrong with it, whatever it is about. */
const readNamed = async (path: string, named: string): Promise<MirrorFiles> => {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new DrayError("CONFIG_INVALID", `${named} ${path}: no such file or directory; check the path`);
  const where = `${named} `;
  if (!found.isDirectory()) {
    if (path.endsWith(".json")) {
      const rules = dockerMirrors(jsonOf(path, await textOf(path, where)));
      return { rulesFor: () => rules, notes: [], shortNames: noShortNames };
    }
    if (basename(path) === "hosts.toml") return hostsOf([resolve(path)], where);
    return fromConf(await registriesConfOf([path], where, true));
  }
  const names = await namesIn(path);
  if (names.includes("hosts.toml")) return hostsOf([resolve(path, "hosts.toml")], where);
  const hosts: string[] = [];
  for (const name of [...names].sort())
    if ((await namesIn(join(path, name))).includes("hosts.toml")) hosts.push(resolve(path, name, "hosts.toml"));
  if (hosts.length > 0) return hostsOf(hosts, where);
  const files = await dropIns(path);
  if (files.length > 0) return fromConf(await registriesConfOf(files, where, true));
  const expected = "HOST/hosts.toml as of containerd, or *.conf as of registries.conf.d";
  throw new DrayError("CONFIG_INVALID", `${named} ${path}: there is nothing about mirrors in it; expected ${expected}`);
};

const fromConf = ({ rules, notes, ...shortNames }: RegistriesConf): MirrorFiles => ({
  rulesFor: () => rules,
  notes,
  shortNames,
});

/** Lines that begin tables or lists about registries. Most such files hold comments, or aliases alone, of which one may be called so. */
const isAboutRegistries =
  /^[^\S\n]*(?:\[{1,2}[^\S\n]*["']?regist(?:ry|ries)\b|["']?regist(?:ry|ries)["']?\s*(?:\.|=\s*[[{]))/m;

const registriesConfOf = async (files: readonly string[], named: string, all: boolean): Promise<RegistriesConf> => {
  const documents: ConfigDocument[] = [];
  for (const file of files) {
    const text = await textOf(file, named);
    if (all || isAboutRegistries.test(text)) documents.push(await tomlOf(file, text));
  }
  return registriesConf(documents);
};

/** Folders are named after registries; a port may be written in two ways, and `_default` is for those that have none. */
const hostsOf = async (files: readonly string[], named: string): Promise<MirrorFiles> => {
  const rules = new Map<string, MirrorRule>();
  const notes: string[] = [];
  for (const file of files) {
    const folder = dirname(file);
    const registry = basename(folder).replace(/_(\d+)_$/, ":$1");
    const readFile = (name: string): Promise<string> => textOf(resolve(folder, name), `${file}: `);
    const read = await hostsToml(await tomlOf(file, await textOf(file, named)), { registry, readFile });
    rules.set(registry, read.rule);
    notes.push(...read.notes);
  }
  const usual = rules.get("_default");
  rules.delete("_default");
  const rulesFor = (registry: string): readonly MirrorRule[] => {
    const own = rules.get(registry);
    if (own !== undefined) return [own];
    return usual === undefined ? [] : [{ ...usual, prefix: registry }];
  };
  return { rulesFor, notes, shortNames: noShortNames };
};
