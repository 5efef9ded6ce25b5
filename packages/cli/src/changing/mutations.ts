import { Option } from "commander";
import type { ReadableStore } from "dray/content";
import { DrayError } from "dray/errors";
import {
  type AnnotatePlace,
  allOf,
  annotated,
  type Change,
  type ConfigChange,
  configured,
  type Image,
  type ImageIndex,
  inMediaTypes,
  platformed,
  referringTo,
  type TextChange,
} from "dray/image";
import { defined } from "dray/internal/defined";
import { type Platform, parsePlatform, parseReference } from "dray/oci";
import type { Call } from "../context.ts";
import { count, duration, gather, moment } from "../flags.ts";
import type { ChangingOptions } from "./change-image.ts";
import { keyToValue, stringSlice, stringToString } from "./go-flags.ts";

type Pairs = Readonly<Record<string, string>>;
type Words = readonly string[];

/** What `mutate` can be told: crane's flags, the other members of a configuration, and what takes away. */
export interface MutateOptions extends ChangingOptions {
  readonly append?: Words;
  readonly annotation?: Pairs;
  readonly label?: Pairs;
  readonly env?: Pairs;
  readonly entrypoint?: Words;
  readonly cmd?: Words;
  readonly keepCmd?: boolean;
  readonly user?: string;
  readonly workdir?: string;
  readonly exposedPorts?: Words;
  readonly setPlatform?: string;
  readonly expose?: Words;
  readonly volume?: Words;
  readonly stopSignal?: string;
  readonly shell?: Words;
  readonly onbuild?: Words;
  readonly author?: string;
  readonly created?: string;
  readonly osFeature?: Words;
  readonly healthCmd?: string;
  readonly healthInterval?: number;
  readonly healthTimeout?: number;
  readonly healthStartPeriod?: number;
  readonly healthStartInterval?: number;
  readonly healthRetries?: number;
  readonly healthcheck?: boolean;
  readonly mediaTypes?: "oci" | "docker";
  readonly lossy?: boolean;
  readonly subject?: string;
  readonly removeAnnotation?: Words;
  readonly removeLabel?: Words;
  readonly removeEnv?: Words;
  readonly removePort?: Words;
  readonly removeVolume?: Words;
  readonly remove?: Words;
}

/** What can be taken away whole, with what is changed by it. */
const removable = {
  entrypoint: { entrypoint: null },
  cmd: { cmd: null },
  user: { user: null },
  workdir: { workdir: null },
  env: { env: null },
  labels: { labels: null },
  ports: { ports: null },
  volumes: { volumes: null },
  "stop-signal": { stopSignal: null },
  healthcheck: { healthcheck: null },
  shell: { shell: null },
  onbuild: { onBuild: null },
  author: { author: null },
  created: { created: null },
  variant: { variant: null },
  "os-version": { osVersion: null },
  "os-features": { osFeatures: null },
} as const satisfies Readonly<Record<string, ConfigChange>>;

const removableWords: readonly string[] = [...Object.keys(removable), "annotations", "subject"];

/** What is empty was not said, as with the others. */
const momentOrNone = (text: string): string => (text === "" ? "" : moment(text));

/** The flags of `MutateOptions`, but for those that say where the result goes. */
export const mutateFlags = (): Option[] => [
  new Option(
    "-a, --annotation <key=value>",
    "set an annotation of each image's manifest; index:KEY of the index, manifest-descriptor:KEY of its entries",
  ).argParser(stringToString),
  new Option(
    "--append <path>",
    "tar, compressed tar or directory to append; again or with commas for several",
  ).argParser(stringSlice),
  new Option("-l, --label <key=value>", "set a label").argParser(stringToString),
  new Option("-e, --env <name=value>", "set a variable").argParser(keyToValue),
  new Option(
    "--entrypoint <words>",
    "program and words to begin with, with commas; the command is taken away",
  ).argParser(stringSlice),
  new Option("--cmd <words>", "the command, with commas").argParser(stringSlice),
  new Option("--keep-cmd", "--entrypoint leaves the command"),
  new Option("-u, --user <user>", "user to run as"),
  new Option("-w, --workdir <dir>", "directory to run in"),
  new Option("--exposed-ports <ports>", "these ports instead of those there are, with commas").argParser(stringSlice),
  new Option("--set-platform <platform>", "say that it is for os/arch[/variant][:osversion]"),
  new Option("--expose <port>", "one more port, such as 80/tcp").argParser(gather),
  new Option("--volume <path>", "one more volume").argParser(gather),
  new Option("--stop-signal <signal>", "signal to stop by"),
  new Option("--shell <words>", "shell of commands in shell form, with commas").argParser(stringSlice),
  new Option("--onbuild <instruction>", "one more instruction for builds on top").argParser(gather),
  new Option("--author <author>", "who made it"),
  new Option("--created <time>", "when it was made, as 2026-01-31T12:00:00Z").argParser(momentOrNone),
  new Option(
    "--os-feature <features>",
    "features of the os that it needs, with commas, instead of those there are",
  ).argParser(stringSlice),
  new Option("--health-cmd <line>", "line that asks whether it is well, in the shell"),
  new Option("--health-interval <duration>", "between two questions").argParser(duration),
  new Option("--health-timeout <duration>", "how long an answer may take").argParser(duration),
  new Option("--health-start-period <duration>", "how long failures count for nothing").argParser(duration),
  new Option("--health-start-interval <duration>", "between two questions meanwhile").argParser(duration),
  new Option("--health-retries <count>", "failures until it is not well").argParser(count),
  new Option("--no-healthcheck", "nobody asks, nor as the base says"),
  new Option("--media-types <kind>", "give it the media types of OCI or of Docker").choices(["oci", "docker"]),
  new Option("--lossy", "--media-types docker takes away what those cannot express"),
  new Option("--subject <image>", "what it says something about: a digest or tag of its repository, or a reference"),
  new Option(
    "--remove-annotation <key>",
    "take an annotation away; index:KEY and manifest-descriptor:KEY as above",
  ).argParser(gather),
  new Option("--remove-label <key>", "take a label away").argParser(gather),
  new Option("--remove-env <name>", "take a variable away").argParser(gather),
  new Option("--remove-port <port>", "take a port away").argParser(gather),
  new Option("--remove-volume <path>", "take a volume away").argParser(gather),
  new Option("--remove <words>", `take away, with commas: ${removableWords.join(", ")}`).argParser(stringSlice),
];

/** What the flags say, as one change. @throws DrayError `USAGE` for what makes no sense together, or of this image */
export const changesOf = async (
  { options, signal }: Call<MutateOptions>,
  store: ReadableStore,
  view: Image | ImageIndex,
): Promise<Change> => {
  const changes: Change[] = [];
  const config = configOf(options);
  if (Object.keys(config).length > 0) changes.push(configured(config));
  if (options.setPlatform !== undefined) changes.push(platformed(platformSaid(options, view)));
  changes.push(...annotationsOf(options, view));
  if (options.mediaTypes !== undefined) changes.push(inMediaTypes(options.mediaTypes, { lossy: options.lossy }));
  else if (options.lossy === true)
    throw new DrayError("USAGE", "--lossy: that is about --media-types docker; say that as well");
  if (options.remove?.includes("subject") === true) changes.push(referringTo(null));
  if (options.subject !== undefined)
    changes.push(referringTo(await store.resolve(nameOf(options.subject), { signal })));
  return allOf(...changes);
};

/** A subject lies in the same repository, which need not be said again. */
const nameOf = (text: string): string => {
  if (!text.includes("/") && !text.includes("@")) return text.replace(/^:/, "");
  const { digest, tag } = parseReference(text);
  return digest ?? tag ?? text;
};

const configOf = (options: MutateOptions): ConfigChange => {
  const { remove = [], entrypoint, cmd, keepCmd = false, healthcheck } = options;
  const unknown = remove.find((word) => !removableWords.includes(word));
  if (unknown !== undefined)
    throw new DrayError("USAGE", `--remove: "${unknown}" is none of ${removableWords.join(", ")}`);
  const said = <T extends string | Words>(value: T | undefined): T | undefined =>
    value === undefined || value.length === 0 ? undefined : value;
  const health = healthOf(options);
  if (healthcheck === false && health !== undefined)
    throw new DrayError("USAGE", "--no-healthcheck: others of the flags say how it is asked");
  const removed = Object.assign(
    {},
    ...remove.map((word) => (Object.hasOwn(removable, word) ? removable[word as keyof typeof removable] : {})),
  ) as ConfigChange;
  const changed = defined<ConfigChange>({
    env: textChange(options.env, options.removeEnv),
    labels: textChange(options.label, options.removeLabel),
    entrypoint: said(entrypoint),
    // As docker and crane have it: the command belonged to the old one.
    cmd: said(cmd) ?? (said(entrypoint) !== undefined && !keepCmd ? null : undefined),
    user: said(options.user),
    workdir: said(options.workdir),
    ports: said(options.exposedPorts) ?? added(options.expose, options.removePort),
    volumes: added(options.volume, options.removeVolume),
    stopSignal: said(options.stopSignal),
    shell: said(options.shell),
    onBuild: added(options.onbuild, undefined),
    author: said(options.author),
    created: said(options.created),
    osFeatures: said(options.osFeature),
    healthcheck: healthcheck === false ? { Test: ["NONE"] } : health,
  });
  for (const name of Object.keys(changed))
    if (Object.hasOwn(removed, name) && name !== "cmd")
      throw new DrayError("USAGE", `--remove: ${remove.join(",")} takes away what another flag sets`);
  return { ...changed, ...removed };
};

/** What is set and what is taken away, as one. @throws DrayError `USAGE` where something is both */
export const textChange = (set: Pairs = {}, removed: Words = []): TextChange | undefined => {
  const both = removed.find((name) => Object.hasOwn(set, name));
  if (both !== undefined) throw new DrayError("USAGE", `"${both}" is set and taken away; leave one of them out`);
  const change = { ...set, ...Object.fromEntries(removed.map((name) => [name, null])) };
  return Object.keys(change).length === 0 ? undefined : change;
};

const added = (add: Words | undefined, remove: Words | undefined) =>
  add === undefined && remove === undefined ? undefined : { add, remove };

const nanoseconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : Math.round(milliseconds * 1e6);

const healthOf = (options: MutateOptions): NonNullable<ConfigChange["healthcheck"]> | undefined => {
  const health = defined({
    Test: options.healthCmd === undefined ? undefined : ["CMD-SHELL", options.healthCmd],
    Interval: nanoseconds(options.healthInterval),
    Timeout: nanoseconds(options.healthTimeout),
    StartPeriod: nanoseconds(options.healthStartPeriod),
    StartInterval: nanoseconds(options.healthStartInterval),
    Retries: options.healthRetries,
  });
  return Object.keys(health).length === 0 ? undefined : health;
};

const platformSaid = ({ setPlatform = "", platform = [] }: MutateOptions, view: Image | ImageIndex): Platform => {
  const { os, architecture, ...rest } = parsePlatform(setPlatform);
  if (architecture === undefined)
    throw new DrayError(
      "PLATFORM_INVALID",
      `--set-platform: "${setPlatform}" names no architecture, such as ${os}/amd64`,
    );
  if (view.kind === "index" && (platform.length !== 1 || platform[0]?.architecture === undefined))
    throw new DrayError(
      "USAGE",
      "--set-platform: this is an index of several images; name the one that is meant with --platform",
    );
  return { os, architecture, ...rest };
};

/** Where an annotation is meant to stand, as buildx writes it. */
const places: Readonly<Record<string, AnnotatePlace>> = {
  index: "index",
  manifest: "manifest",
  "manifest-descriptor": "entry",
};

const annotationsOf = (options: MutateOptions, view: Image | ImageIndex): Change[] => {
  const { annotation, removeAnnotation, remove = [] } = options;
  if (remove.includes("annotations"))
    if (annotation === undefined && removeAnnotation === undefined)
      return [annotated(null, ["manifest", "index", "entry"])];
    else throw new DrayError("USAGE", "--remove: annotations takes away what another flag sets");
  const by = new Map<AnnotatePlace, Record<string, string | null>>();
  for (const [said, value] of Object.entries(textChange(annotation, removeAnnotation) ?? {})) {
    const [, word = "", key = said] = /^(index|manifest|manifest-descriptor):(.+)$/.exec(said) ?? [];
    const place = places[word] ?? "manifest";
    if (place !== "manifest" && view.kind !== "index")
      throw new DrayError("USAGE", `annotation "${said}": this is one image, and in no index; leave out ${word}:`);
    by.set(place, { ...by.get(place), [key]: value });
  }
  return [...by].map(([place, change]) => annotated(change, [place]));
};
