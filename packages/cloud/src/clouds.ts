import type { Keychain } from "dray/auth";
import { DrayError } from "dray/errors";
import { LazyMap } from "dray/internal/async";
import type { CloudOptions } from "./asking/index.ts";
import { type CloudName, cloudNames, cloudsOf, type Environment } from "./hosts.ts";

/** Which clouds are asked, and how. */
export interface CloudsOptions extends CloudOptions {
  /** Those that may be asked. Default: all of them, each for its own registries. */
  readonly only?: readonly CloudName[] | undefined;
  /** Where the variables of GitHub's and GitLab's jobs are read from. Default: the environment of the process. */
  readonly env?: Environment | undefined;
}

/**
 * The keychains of all clouds as one. Each is loaded when the first of its registries is met, and asked for those alone, so that a program that
 * meets none is no larger for it. What they find is `ambient`: a read for which it is refused goes on without it, so that a job's token without
 * the right to read packages hides no public image.
 * @example connect(host, { credentials: chain(environment(), dockerConfig(), clouds()) })
 */
export const clouds = ({ only = cloudNames, ...options }: CloudsOptions = {}): Keychain => {
  const made = new LazyMap<CloudName, Keychain>();
  return async (target, asked) => {
    for (const name of cloudsOf(target.registry, options.env)) {
      if (!only.includes(name)) {
        asked?.onTried?.(name, "left out");
        continue;
      }
      const credential = await (await made.get(name, () => makers[name](options)))(target, asked);
      if (credential !== undefined) return { ...credential, ambient: true };
    }
    return undefined;
  };
};

const makers: Readonly<Record<CloudName, (options: Omit<CloudsOptions, "only">) => Promise<Keychain>>> = {
  ecr: async (options) => (await import("./ecr/index.ts")).ecr(options),
  google: async (options) => (await import("./google/index.ts")).google(options),
  acr: async (options) => (await import("./acr/index.ts")).acr(options),
  github: async (options) => (await import("./variables/index.ts")).github(options),
  gitlab: async (options) => (await import("./variables/index.ts")).gitlab(options),
};

/**
 * Reads a list of clouds as `DRAY_KEYCHAINS` has it: `auto` or nothing for all of them, `none`, or names with commas.
 * @param from where the text is from, for messages
 * @throws DrayError `CONFIG_INVALID` for a name that is none of theirs
 * @example clouds({ only: parseClouds(process.env.DRAY_KEYCHAINS, "DRAY_KEYCHAINS") })
 */
export const parseClouds = (text: string | undefined, from: string): readonly CloudName[] => {
  const names = (text ?? "").split(/[\s,]+/).filter((name) => name !== "");
  if (names.length === 0 || (names.length === 1 && names[0] === "auto")) return cloudNames;
  if (names.length === 1 && names[0] === "none") return [];
  const known = new Set<string>(cloudNames);
  const wrong = names.find((name) => !known.has(name));
  if (wrong === undefined) return names as CloudName[];
  throw new DrayError(
    "CONFIG_INVALID",
    `${from} names "${wrong}"; expected auto, none, or some of ${cloudNames.join(", ")}`,
  );
};
