import type { JsonObject } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { isObject, type Platform } from "../../oci/index.ts";
import type { Healthcheck } from "../config.ts";
import type { Change } from "../edit.ts";
import { changedEnv } from "./env.ts";
import {
  changedList,
  changedTexts,
  type ListChange,
  objectIn,
  type TextChange,
  textsIn,
  withFilled,
  withMember,
} from "./members.ts";
import { ofImages } from "./of-images.ts";

/** What of a configuration becomes another. What is not named stays, and so does what nobody here knows; `null` takes away. */
export interface ConfigChange {
  /** Variables by name. One that is there keeps its place. On Windows names are alike whatever their case. */
  readonly env?: TextChange | undefined;
  readonly labels?: TextChange | undefined;
  readonly entrypoint?: readonly string[] | null | undefined;
  readonly cmd?: readonly string[] | null | undefined;
  readonly user?: string | null | undefined;
  readonly workdir?: string | null | undefined;
  /** `8080`, `8080/tcp`, `53/udp`, `8000-8010/tcp`. To take away `8080` takes `8080/tcp`, too. */
  readonly ports?: ListChange | undefined;
  readonly volumes?: ListChange | undefined;
  readonly stopSignal?: string | null | undefined;
  /** Member by member: those that are not named stay, `null` takes one away. */
  readonly healthcheck?: { readonly [Name in keyof Healthcheck]?: Healthcheck[Name] | null } | null | undefined;
  readonly shell?: readonly string[] | null | undefined;
  readonly onBuild?: ListChange | undefined;
  readonly author?: string | null | undefined;
  /** RFC 3339, or a time. */
  readonly created?: string | Date | null | undefined;
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | null | undefined;
  readonly osVersion?: string | null | undefined;
  readonly osFeatures?: ListChange | undefined;
  /** Whatever else says how a container is run, by Docker's names: `{ StopTimeout: 10, ArgsEscaped: null }`. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Changes the configuration of an image, or of each image below an index. Layers stay as they are. Where the platform changes, what an index says
 * of the image follows.
 * @throws DrayError `USAGE` for values that mean nothing; from `edit` `MANIFEST_INVALID` where a member that changes is not what it should be,
 *   `UNSUPPORTED` for an artifact in view
 * @example
 * const { store, root } = await edit(view, configured({ env: { PORT: "80", DEBUG: null }, user: "1000", ports: { add: ["80/tcp"] } }));
 */
export const configured = (change: ConfigChange): Change => {
  refuseMeaningless(change);
  return ofImages(() => ({
    config: (document) => changedConfig(document, change),
    entry: (entry) =>
      isObject(entry["platform"]) ? withMember(entry, "platform", changedPlatform(entry["platform"], change)) : entry,
  }));
};

/**
 * Says that an image is for another platform, whole: variant, version and features that are not named are taken away.
 * @throws DrayError as `configured`
 * @example await edit(view, platformed({ os: "linux", architecture: "arm64" }));
 */
export const platformed = (platform: Platform): Change =>
  configured({
    os: platform.os,
    architecture: platform.architecture,
    variant: platform.variant ?? null,
    osVersion: platform["os.version"] ?? null,
    osFeatures: platform["os.features"] ?? null,
  });

const changedConfig = (document: JsonObject, change: ConfigChange): JsonObject => {
  const { author, created } = change;
  let after = changedPlatform(document, change);
  if (author !== undefined) after = withMember(after, "author", author);
  if (created !== undefined) after = withMember(after, "created", created === null ? null : timeText(created));
  const inside = objectIn(document, "config");
  const changed = changedContainer(inside, change, document["os"] === "windows");
  return changed === inside ? after : { ...after, config: changed };
};

/** The members by which a configuration and a platform say what an image is for. */
const changedPlatform = (document: JsonObject, change: ConfigChange): JsonObject => {
  const { os, architecture, variant, osVersion, osFeatures } = change;
  let after = document;
  const said = { os, architecture, variant, "os.version": osVersion };
  for (const [member, value] of Object.entries(said)) if (value !== undefined) after = withMember(after, member, value);
  return osFeatures === undefined
    ? after
    : withFilled(after, "os.features", changedList(textsIn(after, "os.features"), osFeatures));
};

const changedContainer = (container: JsonObject, change: ConfigChange, windows: boolean): JsonObject => {
  const { env, labels, ports, volumes, onBuild, healthcheck, members = {} } = change;
  let after = container;
  const whole = {
    User: change.user,
    WorkingDir: change.workdir,
    StopSignal: change.stopSignal,
    Entrypoint: change.entrypoint,
    Cmd: change.cmd,
    Shell: change.shell,
    ...members,
  };
  for (const [member, value] of Object.entries(whole))
    if (value !== undefined) after = withMember(after, member, value);
  if (env !== undefined) after = withFilled(after, "Env", changedEnv(textsIn(after, "Env"), env, windows));
  if (labels !== undefined) after = withFilled(after, "Labels", changedTexts(objectIn(after, "Labels"), labels));
  if (ports !== undefined) after = withNames(after, "ExposedPorts", ports, isSamePort);
  if (volumes !== undefined) after = withNames(after, "Volumes", volumes);
  if (onBuild !== undefined) after = withFilled(after, "OnBuild", changedList(textsIn(after, "OnBuild"), onBuild));
  if (healthcheck === null) after = withMember(after, "Healthcheck", null);
  else if (healthcheck !== undefined) {
    let asked = objectIn(after, "Healthcheck");
    for (const [member, value] of Object.entries(healthcheck))
      if (value !== undefined) asked = withMember(asked, member, value);
    after = withFilled(after, "Healthcheck", asked);
  }
  return after;
};

/** Names that stand for empty objects. Those that stay keep what stands there. */
const withNames = (
  container: JsonObject,
  member: string,
  change: ListChange,
  isSame?: (entry: string, said: string) => boolean,
): JsonObject => {
  const before = objectIn(container, member);
  const names = changedList(Object.keys(before), change, isSame);
  return withFilled(container, member, Object.fromEntries(names.map((name) => [name, before[name] ?? {}])));
};

const isSamePort = (entry: string, said: string): boolean =>
  entry === said || entry === `${said}/tcp` || `${entry}/tcp` === said;

/** What Docker writes in place of a time without a fraction of a second. */
const timeText = (time: string | Date): string =>
  typeof time === "string" ? time : time.toISOString().replace(/\.000Z$/, "Z");

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

const refuseMeaningless = (change: ConfigChange): void => {
  const { created, ports, healthcheck } = change;
  if (created instanceof Date ? Number.isNaN(created.getTime()) : typeof created === "string" && !isTime(created))
    throw new DrayError("USAGE", `created ${JSON.stringify(created)} is no time such as 2026-01-31T12:00:00Z`);
  const named =
    ports === undefined || ports === null ? [] : "add" in ports || "remove" in ports ? [...(ports.add ?? [])] : ports;
  for (const port of named as readonly string[])
    if (!/^\d{1,5}(-\d{1,5})?(\/[a-z]+)?$/.test(port))
      throw new DrayError("USAGE", `port ${JSON.stringify(port)} is none, such as 8080, 8080/tcp or 53/udp`);
  for (const [group, texts] of [
    ["variable", change.env],
    ["label", change.labels],
  ] as const)
    for (const name of Object.keys(texts ?? {}))
      if (name === "" || (group === "variable" && /[=\0]/.test(name)))
        throw new DrayError("USAGE", `${JSON.stringify(name)} is no name of a ${group}`);
  for (const [name, value] of Object.entries(healthcheck ?? {}))
    if (typeof value === "number" && !(Number.isSafeInteger(value) && value >= 0))
      throw new DrayError(
        "USAGE",
        `healthcheck ${name} is ${value}; it has to be a whole number of nanoseconds, or of retries`,
      );
};

/** Whether every runtime reads the same moment there, whatever its time zone. */
export const isTime = (text: string): boolean => rfc3339.test(text) && !Number.isNaN(Date.parse(text));
