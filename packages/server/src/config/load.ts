import {
  type ConfigSources,
  type Described,
  describe,
  describedText,
  type Remark,
  readConfig,
  readPart,
} from "@dray/service/config";
import { table } from "./keys/index.ts";
import { buildSettings, type Place, placeOf, type Settings, type UsableSettings, usableOf } from "./settings/index.ts";

/** Without a file: the one that `REGISTRY_CONFIGURATION_PATH` names, else none. */
export interface Sources extends Omit<ConfigSources, "flags"> {
  readonly flags?: Flags;
}

/** What the command line says; it wins over everything. */
export interface Flags {
  /** Folder of the data. */
  readonly data?: string;
  /** `HOST:PORT`, `:PORT` for every interface, `unix:PATH`. */
  readonly listen?: string;
  readonly readOnly?: boolean;
  readonly logLevel?: string;
  /** `KEY=VALUE`, any key of the file with a value in YAML. */
  readonly set?: readonly string[];
}

/**
 * The settings of the registry: what flags say, else variables, else the file, else defaults.
 * @throws SettingsInvalid with all that is wrong and where
 * @throws DrayError `DISK` for a file that cannot be read
 * @example
 * const { settings, warnings } = loadSettings({ file: "config.yml", env: process.env, flags: { listen: ":5000" } });
 */
export const loadSettings = (
  sources: Sources = {},
): { readonly settings: Settings; readonly warnings: readonly Remark[] } =>
  readConfig(table, buildSettings, said(sources));

/** Where the data is, also by a configuration with faults elsewhere: enough to find the registry that serves it. */
export const locateData = (sources: Sources = {}): Place | undefined =>
  readPart(table, placeOf, ["storage", "storage.filesystem.rootdirectory"], said(sources));

/** What this machine can be looked at for, also where some of it cannot be used. */
export const usableSettings = (sources: Sources = {}): UsableSettings =>
  usableOf((keys, build) => readPart(table, build, keys, said(sources)));

const said = ({ flags: { data, listen, readOnly, logLevel, set = [] } = {}, ...sources }: Sources): ConfigSources => ({
  ...sources,
  flags: { named: { "--data": data, "--read-only": readOnly, "--log-level": logLevel, "--listen": listen }, set },
});

/** What holds in the end, a key for each line, with who said it: the shape of `check-config -o json`. */
export const describeSettings = ({ effective }: Settings): readonly Described[] => describe(table, effective);

/** The same for people: keys, values and origins in columns. */
export const describeText = (settings: Settings): string => describedText(describeSettings(settings));
