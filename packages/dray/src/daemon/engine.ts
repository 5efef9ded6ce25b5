import { refuseNumber } from "../numbers.ts";
import { isObject, type Platform } from "../oci/index.ts";
import { EngineApi } from "./api.ts";
import { type EngineContainers, engineContainers } from "./containers.ts";
import { isText } from "./fields.ts";
import { type FindEngineOptions, findEngine } from "./find-engine.ts";
import { type EngineCall, type EngineImages, engineImages } from "./images.ts";
import { reachEngine } from "./reach-engine.ts";

/** Which engine is meant, and how long it may take to be reached. */
export interface ConnectEngineOptions extends FindEngineOptions {
  /** Milliseconds for each connection, and until the engine has answered something that is no work. Default 30,000. */
  readonly timeout?: number | undefined;
}

/** What an engine says of itself. */
export interface EngineVersion {
  /** `20.10.24` */
  readonly version: string;
  /** The newest API that it speaks. */
  readonly apiVersion: string;
  /** The machine that it runs containers on. */
  readonly platform: Platform;
}

/** A container engine: docker, podman, and whatever speaks docker's API. */
export interface Engine extends EngineImages {
  version(options?: EngineCall): Promise<EngineVersion>;
  /**
   * Whether it keeps images as OCI has them, manifests and all (docker with the containerd image store): then what is saved has the digests that
   * registries know. Other engines keep configurations and unpacked layers alone.
   */
  keepsManifests(options?: EngineCall): Promise<boolean>;
  readonly containers: EngineContainers;
  /** How it is called in messages: its address, and who named it. */
  address(options?: EngineCall): Promise<string>;
  /** Lets go of every connection. */
  close(): Promise<void>;
}

/**
 * Connects to a container engine by its socket, over TCP with or without TLS, or by the `ssh` program. Nothing is asked before it is first used. Which
 * one: `host`, `context`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of docker's configuration, in this order; else the first that
 * answers of `/var/run/docker.sock`, `$XDG_RUNTIME_DIR/docker.sock`, `~/.docker/run/docker.sock`, `$XDG_RUNTIME_DIR/podman/podman.sock` and
 * `/run/podman/podman.sock`. The version of the API is the newest that both know, or that of `DOCKER_API_VERSION`.
 * @throws DrayError from its functions: `NETWORK`, `TIMEOUT`, `TLS` where no engine answers, saying what was tried; `CONFIG_INVALID` for a
 *   context or variable that makes no sense; `UNSUPPORTED` for an engine before Docker 1.12; `ENGINE` for what it refuses, in its words
 * @example
 * const engine = connectEngine();
 * for (const { id, names } of await engine.list()) console.log(id, names.join(" "));
 * await engine.close();
 */
export const connectEngine = (options: ConnectEngineOptions = {}): Engine => {
  const { timeout = 30_000, env = process.env } = options;
  refuseNumber("timeout", timeout, { fractions: true });
  const reach = async (signal: AbortSignal | undefined) =>
    reachEngine(await findEngine({ ...options, env }), { timeout, env, signal });
  const api = new EngineApi(reach, env["DOCKER_API_VERSION"] || undefined);
  return {
    ...engineImages(api),
    containers: engineContainers(api),
    version: async ({ signal } = {}) =>
      versionOf(await api.json({ method: "GET", path: "/version", doing: "ask for the version", signal })),
    keepsManifests: async ({ signal } = {}) =>
      keepsManifests(await api.json({ method: "GET", path: "/info", doing: "ask for its settings", signal })),
    address: ({ signal } = {}) => api.what(signal),
    close: () => api.close(),
  };
};

const versionOf = (found: unknown): EngineVersion => {
  const { Version: version, ApiVersion: apiVersion, Os: os, Arch: arch } = isObject(found) ? found : {};
  return {
    version: isText(version) ? version : "unknown",
    apiVersion: isText(apiVersion) ? apiVersion : "unknown",
    platform: { os: isText(os) ? os : "linux", architecture: isText(arch) ? arch : "" },
  };
};

/** Docker says so in the status of what keeps its layers. */
const keepsManifests = (info: unknown): boolean => {
  const status = isObject(info) ? info["DriverStatus"] : undefined;
  return (Array.isArray(status) ? status : []).some(
    (pair: unknown) => Array.isArray(pair) && pair[0] === "driver-type" && pair[1] === "io.containerd.snapshotter.v1",
  );
};
