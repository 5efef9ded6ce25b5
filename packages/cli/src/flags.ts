import { InvalidArgumentError, Option } from "commander";
import { DrayError } from "dray/errors";
import { parsePlatform, type WantedPlatform } from "dray/oci";

export const progressModes = ["auto", "tty", "plain", "json", "none"] as const;
export type ProgressMode = (typeof progressModes)[number];

/** What may differ between the two ends of a copy. */
export interface EndFlags {
  readonly insecure?: boolean;
  readonly plainHttp?: boolean;
  readonly skipTlsVerify?: boolean;
  readonly caFile?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly authfile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

/** What every command can be told, before or after its name. What was not said is not there: each reader has its own default. */
export interface SharedOptions extends EndFlags {
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  readonly progress?: ProgressMode;
  /** None: all platforms. */
  readonly platform?: readonly WantedPlatform[];
  readonly allowNondistributableArtifacts?: boolean;
  /** Hosts, addresses and CIDRs. */
  readonly allowPrivate?: readonly string[];
  /** Milliseconds. */
  readonly timeout?: number;
  /** How often again, after the first time. */
  readonly retry?: number;
  /** Milliseconds. */
  readonly maxWait?: number;
  /** A file or folder that says which mirrors there are; `false`: none. */
  readonly mirrors?: string | false;
  /** Names without a registry are looked up as `registries.conf` says. */
  readonly shortNames?: boolean;
}

/** What a listing can be told. */
export interface ListingOptions extends SharedOptions {
  readonly output?: "text" | "json";
}

/** The flags of `SharedOptions`, made anew for each command that carries them. */
export const sharedFlags = (): Option[] =>
  [
    new Option("-v, --verbose", "trace requests to stderr, secrets hidden"),
    new Option("-q, --quiet", "no progress and no summary; warnings and errors stay"),
    new Option("--progress <mode>", "how to show progress (default auto)").choices(progressModes),
    new Option(
      "--platform <platform>",
      "os/arch[/variant][:osversion]; again or with commas for several (default all)",
    ).argParser(platforms),
    new Option("--allow-nondistributable-artifacts", "push non-distributable (foreign) layers too"),
    ...connectionFlags(),
    new Option(
      "--allow-private <host>",
      "private host, address or CIDR that a public registry may lead to; again or with commas for several",
    ).argParser(commaList),
    new Option(
      "--timeout <duration>",
      "give up when a registry or a credential helper is silent for so long (default 60s; to connect and for helpers 30s)",
    ).argParser(timeLimit),
    new Option("--retry <count>", "try again so often after a fault that may pass (default 4)").argParser(count),
    new Option("--max-wait <duration>", "wait at most so long when a registry limits the rate (default 15m)").argParser(
      duration,
    ),
    new Option(
      "--mirrors <path>",
      "read mirrors from this registries.conf, hosts.toml or daemon.json, or folder of them (default as podman)",
    ),
    new Option("--no-mirrors", "ask the registry itself, whatever files say of mirrors"),
    new Option("--short-names", "read names without a registry by the aliases and search list of registries.conf"),
  ].map((option) => option.helpGroup("Global Options:"));

/** The same for one end of a copy: `--src-ca-file`, `--dest-insecure`. They win over the form for both. */
export const endFlags = (end: "src" | "dest"): Option[] =>
  connectionFlags().map(({ flags, long }) => {
    const own = flags.replace("--", `--${end}-`);
    return new Option(own, `as ${long}, of the ${end === "src" ? "source" : "destination"} alone`).helpGroup(
      "One End Only:",
    );
  });

const connectionFlags = (): Option[] => [
  new Option("--insecure", "allow plain http, and certificates nobody vouches for"),
  new Option("--plain-http", "allow plain http"),
  new Option("--skip-tls-verify", "allow certificates nobody vouches for"),
  new Option("--ca-file <file>", "certificates (PEM) to trust as well as the system's"),
  new Option("--cert <file>", "client certificate (PEM)"),
  new Option("--key <file>", "key of the client certificate (PEM)"),
  new Option("--authfile <file>", "credentials, as docker or podman keep them"),
  new Option("--username <name>", "user name"),
  new Option("--password <password>", "password; better by --password-stdin"),
  new Option("--password-stdin", "read the password from stdin"),
];

/** What both ends may have of their own. */
export const connectionFlagNames: string =
  "insecure, plain-http, skip-tls-verify, ca-file, cert, key, authfile,\n  username, password, password-stdin";

/** `-o json` of a listing; its documents are described in docs/json.md. */
export const outputFlag = (): Option =>
  new Option("-o, --output <format>", "how to print the result (default text)").choices(["text", "json"]);

/** Gathers the values of a flag that may come again. */
export const gather = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** The same, several in one value too. */
const commaList = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(",").map((part) => part.trim()),
];

/** A whole number, zero or more. */
export const count = (text: string): number => {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
};

/** A whole number, one or more. */
export const positive = (text: string): number => {
  const number = count(text);
  if (number === 0) throw new InvalidArgumentError("Expected a number above zero.");
  return number;
};

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration in milliseconds: `500ms`, `30s`, `1m30s`, `2h`; a bare number is seconds. */
export const duration = (text: string): number => {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  if (!/^([0-9]+(\.[0-9]+)?(ms|[smhd]))+$/.test(text))
    throw new InvalidArgumentError("Expected a duration such as 500ms, 30s, 1m30s or 30d.");
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(ms|[smhd])/g))
    sum += Number(number) * (units[unit ?? ""] ?? 0);
  return sum;
};

/** A moment as RFC 3339 writes it. Other forms, which runtimes read differently and by the time zone of the machine, are none. */
export const moment = (text: string): string => {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(text) && !Number.isNaN(Date.parse(text)))
    return text;
  throw new InvalidArgumentError("Expected a time such as 2026-01-31T12:00:00Z.");
};

/** A duration that something can be done in: nothing is done within none. */
const timeLimit = (text: string): number => {
  const limit = duration(text);
  if (limit >= 1) return limit;
  throw new InvalidArgumentError("Expected a duration of 1ms or more, such as 30s.");
};

/** Platforms, comma lists and repetitions joined. `all` is crane's word for no choice. */
export const platforms = (text: string, before: readonly WantedPlatform[] = []): readonly WantedPlatform[] => {
  const named = commaList(text);
  return named.includes("all") ? [] : [...before, ...named.map(parsePlatform)];
};

/** The one platform that a command about one image can use. */
export const onePlatform = ({ platform = [] }: SharedOptions): WantedPlatform | undefined => {
  if (platform.length > 1)
    throw new DrayError("USAGE", "--platform: this command is about one image; name one platform, or use cp");
  return platform[0];
};

/** Bytes: `4096`, `64MiB`, `1GB`. */
export const size = (text: string): number => {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(?:i?b)?)?$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Expected a size such as 4096, 64MiB or 1GB.");
  const base = /[kmgt]b$/i.test(text) ? 1000 : 1024;
  return Math.round(Number(number) * base ** "_kmgt".indexOf(unit === "" ? "_" : unit.toLowerCase()));
};
