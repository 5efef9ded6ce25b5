import { DrayError } from "../errors.ts";
import { type Descriptor, isObject, type Parsed, type Platform, parseJson } from "../oci/index.ts";

/** An image configuration. @see https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  /** How a container of it is run. */
  readonly config?: ContainerConfig;
  readonly rootfs?: { readonly type?: string; readonly diff_ids?: readonly string[] };
  readonly history?: readonly HistoryEntry[];
}

/** How a container is run, under the names that Docker gave the members. Each may be left out, or `null`. */
export interface ContainerConfig {
  readonly User?: string | null;
  /** `NAME=value` */
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  /** `8080/tcp` and the like, each with an empty object. */
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly StopSignal?: string | null;
  readonly Healthcheck?: Healthcheck | null;
  /** Program and words that run a command in shell form: `["/bin/sh", "-c"]`. */
  readonly Shell?: readonly string[] | null;
  /** Instructions that a build on top of the image begins with. */
  readonly OnBuild?: readonly string[] | null;
}

/** How a container is asked whether it is well. Times are in nanoseconds. Docker's; the image specification reserves the name. */
export interface Healthcheck {
  /** `["CMD", …]`, `["CMD-SHELL", line]`, or `["NONE"]`: the one of the base does not hold. */
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  /** Between two questions during `StartPeriod`. */
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** How one layer came to be, or a step that made none. */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** A configuration's bytes as the document that they are. @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED` */
export const asConfig = (bytes: Uint8Array, descriptor: Descriptor): Parsed<ImageConfig> => {
  const value = parseJson(bytes, `configuration ${descriptor.digest}`);
  if (!isObject(value)) throw new DrayError("MANIFEST_INVALID", `configuration ${descriptor.digest} is no JSON object`);
  return value;
};

/** The platform a configuration says its image is for. */
export const platformOf = (config: ImageConfig): Platform | undefined => {
  const { os, architecture, variant, "os.version": version, "os.features": features } = config;
  if (typeof os !== "string" || typeof architecture !== "string") return undefined;
  return {
    os,
    architecture,
    ...(typeof variant === "string" && variant !== "" ? { variant } : {}),
    ...(typeof version === "string" ? { "os.version": version } : {}),
    ...(Array.isArray(features) && features.every((feature) => typeof feature === "string")
      ? { "os.features": features as readonly string[] }
      : {}),
  };
};
