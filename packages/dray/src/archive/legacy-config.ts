import { createHash } from "node:crypto";
import { DrayError, errorIn } from "../errors.ts";
import { type Descriptor, hexOf, isObject, type Manifest, parseJson } from "../oci/index.ts";
import { goJson } from "./go-json.ts";

/** A layer as the old format describes it. */
export interface LegacyLayer {
  /** 64 hex digits, made from the layer and all below it, and for the top one from the whole config. */
  readonly id: string;
  readonly layer: Descriptor;
  /** The file `json`. */
  readonly json: Uint8Array;
}

/**
 * The layers of an image in the old format, the lowest first. Descriptions have the members, order and zero values that
 * Go gives them: their bytes are compared with those of other tools, and old IDs were made from such bytes.
 * @throws DrayError `MANIFEST_INVALID` when history and layers do not fit
 * @see https://github.com/moby/docker-image-spec/blob/main/v1.0.md
 */
export const legacyLayers = (manifest: Manifest, config: Uint8Array): LegacyLayer[] => {
  const image = parseConfig(manifest, config);
  const { layers } = manifest;
  const history = historyOf(image, layers.length, manifest.config);
  const found: LegacyLayer[] = [];
  layers.forEach((layer, i) => {
    const parent = found.at(-1)?.id ?? "";
    const top = i === layers.length - 1;
    const id = idOf(`${hexOf(layer.digest)} ${parent}${top ? ` ${Buffer.from(config).toString("utf8")}` : ""}`);
    const described = describe(id, parent, history[i] ?? {}, top ? image : undefined);
    found.push({ id, layer, json: Buffer.from(goJson(described)) });
  });
  return found;
};

type Json = Readonly<Record<string, unknown>>;

const parseConfig = ({ config }: Manifest, bytes: Uint8Array): Json => {
  try {
    const value = parseJson(bytes, "config");
    if (isObject(value)) return value;
    throw new DrayError("MANIFEST_INVALID", "the config is no JSON object");
  } catch (error) {
    throw errorIn(config.digest, error, { reference: config.digest });
  }
};

/** What made each layer. A config without any history stands for layers of unknown making. */
const historyOf = (image: Json, layers: number, config: Descriptor): Json[] => {
  const all = Array.isArray(image["history"]) ? image["history"].filter(isObject) : [];
  const made = all.filter((entry) => entry["empty_layer"] !== true);
  if (made.length === 0 || made.length === layers) return made;
  throw new DrayError(
    "MANIFEST_INVALID",
    `the config ${config.digest} has a history of ${made.length} layers, and the image has ${layers}`,
    { reference: config.digest },
  );
};

const idOf = (text: string): string => createHash("sha256").update(text).digest("hex");

const describe = (id: string, parent: string, history: Json, image: Json | undefined): object => ({
  architecture: text(image?.["architecture"]) ?? "",
  author: text(history["author"]),
  container: text(image?.["container"]),
  created: time((image ?? history)["created"]),
  docker_version: text(image?.["docker_version"]),
  os: text(image?.["os"]) ?? "",
  rootfs: { type: "", diff_ids: null },
  config: containerConfig(image?.["config"]),
  container_config: { Cmd: [text(history["created_by"]) ?? ""] },
  id,
  parent: parent === "" ? undefined : parent,
  comment: text(history["comment"]),
});

/** Go leaves out what is empty: `undefined` is not written. */
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const flag = (value: unknown): true | undefined => (value === true ? true : undefined);
const count = (value: unknown): number | undefined => (typeof value === "number" && value !== 0 ? value : undefined);
const list = (value: unknown): unknown[] | undefined => (Array.isArray(value) && value.length > 0 ? value : undefined);
const map = (value: unknown): Map<string, unknown> | undefined =>
  isObject(value) && Object.keys(value).length > 0 ? new Map(Object.entries(value)) : undefined;
const keys = (value: unknown): Map<string, unknown> | undefined =>
  isObject(value) ? map(Object.fromEntries(Object.keys(value).map((key) => [key, {}]))) : undefined;

/** RFC 3339 as Go writes it back: no zeros at the end of a fraction, Z for UTC; no time at all is the first year. */
const time = (value: unknown): string => {
  if (typeof value !== "string" || value === "") return "0001-01-01T00:00:00Z";
  return value
    .replace(/\.(\d*?)0*(?=[Z+-])/, (_, digits: string) => (digits === "" ? "" : `.${digits}`))
    .replace(/[+-]00:00$/, "Z");
};

const containerConfig = (value: unknown): object => {
  const config: Json = isObject(value) ? value : {};
  const health = config["Healthcheck"];
  return {
    AttachStderr: flag(config["AttachStderr"]),
    AttachStdin: flag(config["AttachStdin"]),
    AttachStdout: flag(config["AttachStdout"]),
    Cmd: list(config["Cmd"]),
    Healthcheck: isObject(health)
      ? {
          Test: list(health["Test"]),
          Interval: count(health["Interval"]),
          Timeout: count(health["Timeout"]),
          StartPeriod: count(health["StartPeriod"]),
          Retries: count(health["Retries"]),
        }
      : undefined,
    Domainname: text(config["Domainname"]),
    Entrypoint: list(config["Entrypoint"]),
    Env: list(config["Env"]),
    Hostname: text(config["Hostname"]),
    Image: text(config["Image"]),
    Labels: map(config["Labels"]),
    OnBuild: list(config["OnBuild"]),
    OpenStdin: flag(config["OpenStdin"]),
    StdinOnce: flag(config["StdinOnce"]),
    Tty: flag(config["Tty"]),
    User: text(config["User"]),
    Volumes: keys(config["Volumes"]),
    WorkingDir: text(config["WorkingDir"]),
    ExposedPorts: keys(config["ExposedPorts"]),
    ArgsEscaped: flag(config["ArgsEscaped"]),
    NetworkDisabled: flag(config["NetworkDisabled"]),
    MacAddress: text(config["MacAddress"]),
    StopSignal: text(config["StopSignal"]),
    Shell: list(config["Shell"]),
  };
};
