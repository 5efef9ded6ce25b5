import { defined } from "../defined.ts";
import { DrayError } from "../errors.ts";

/** What an image runs on. @see https://github.com/opencontainers/image-spec/blob/main/image-index.md */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** A platform as somebody asks for it: what is left out may be anything. */
export interface WantedPlatform {
  readonly os: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const platformMembers: ReadonlySet<string> = new Set<keyof WantedPlatform | "features">([
  "os",
  "architecture",
  "variant",
  "os.version",
  "os.features",
  // Of Docker's manifest lists.
  "features",
]);

/**
 * A platform that somebody asks for, as text or taken apart. Where no architecture is said, a member that means nothing was meant to say
 * it, and would be a platform that nobody asked for. Beside one it is passed over: the platform may be that of an index's entry, which may
 * have members of its maker's own.
 * @throws DrayError `PLATFORM_INVALID` for text that is no platform, `USAGE` for a member that a platform does not have, where there is no architecture
 * @example wantedPlatform("linux/arm64") // { os: "linux", architecture: "arm64" }
 */
export const wantedPlatform = (platform: string | WantedPlatform): WantedPlatform => {
  if (typeof platform === "string") return parsePlatform(platform);
  const unknown =
    platform.architecture === undefined
      ? Object.keys(platform).find((member) => !platformMembers.has(member))
      : undefined;
  if (unknown !== undefined) {
    const known = "os, architecture, variant, os.version and os.features";
    throw new DrayError("USAGE", `a platform has no member ${JSON.stringify(unknown)}; it has ${known}`);
  }
  if (typeof platform.os === "string") return platform;
  throw new DrayError("USAGE", 'a platform needs its os, such as { os: "linux", architecture: "arm64" }');
};

const form = "os/architecture[/variant][:os.version]";

/**
 * Reads `os[/architecture[/variant]][:os.version]`. One word alone is an os, whatever it is: nobody keeps a list of them.
 * @throws DrayError `PLATFORM_INVALID`
 * @example parsePlatform("linux/arm64/v8")
 */
export const parsePlatform = (text: string): WantedPlatform => {
  const colon = text.indexOf(":");
  const version = colon < 0 ? undefined : text.slice(colon + 1);
  const parts = (colon < 0 ? text : text.slice(0, colon)).split("/");
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part)) || version === "")
    throw new DrayError("PLATFORM_INVALID", `platform "${text}": expected ${form}, such as linux/arm64/v8`);
  const [os, architecture, variant] = parts as [string, string?, string?];
  return defined({
    os: os.toLowerCase(),
    architecture: architecture?.toLowerCase(),
    variant: variant?.toLowerCase(),
    "os.version": version,
  });
};

/** `os/architecture[/variant][:os.version]`, as it was written, not normalised. */
export const formatPlatform = (platform: WantedPlatform): string => {
  const path = [platform.os, platform.architecture, platform.variant].filter((part) => part).join("/");
  return platform["os.version"] ? `${path}:${platform["os.version"]}` : path;
};

const architectures: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ["x86_64", ["amd64"]],
  ["x86-64", ["amd64"]],
  ["i386", ["386"]],
  ["i486", ["386"]],
  ["i586", ["386"]],
  ["i686", ["386"]],
  ["aarch64", ["arm64"]],
  ["armhf", ["arm", "v7"]],
  ["armel", ["arm", "v6"]],
]);

/** One spelling for what means the same: `x86_64` is `amd64`, `arm64` is `arm64/v8`, `arm` is `arm/v7`, `amd64/v1` is `amd64`. */
export const normalizePlatform = <P extends WantedPlatform>(platform: P): P => {
  // An index from elsewhere may leave the os out.
  const named = (platform.os as string | undefined)?.toLowerCase() ?? "";
  const os = named === "macos" ? "darwin" : named;
  const given = platform.architecture?.toLowerCase();
  if (given === undefined || given === "") return { ...platform, os };
  const [architecture, implied] = architectures.get(given) ?? [given];
  let variant = platform.variant?.toLowerCase() || implied;
  if (variant !== undefined && /^[0-9]+$/.test(variant)) variant = `v${variant}`;
  if (architecture === "arm64" && variant === undefined) variant = "v8";
  if (architecture === "arm" && variant === undefined) variant = "v7";
  if (architecture === "amd64" && variant === "v1") variant = undefined;
  const { variant: _dropped, ...rest } = platform;
  return { ...(rest as unknown as P), os, architecture, ...(variant === undefined ? {} : { variant }) };
};

/**
 * The entry that serves the wanted platform best: same os and architecture; the highest variant not above the wanted
 * one, the exact one first; every wanted feature; the wanted os.version exactly, or by its build for Windows. Entries without a
 * platform never match. `undefined` when none fits.
 * @example matchPlatform(parsePlatform("linux/arm64"), index.manifests)
 */
export const matchPlatform = <E extends { readonly platform?: Platform }>(
  wanted: WantedPlatform,
  entries: readonly E[],
): E | undefined => {
  let best: E | undefined;
  let bestScore = 0;
  for (const entry of entries) {
    const score = entry.platform === undefined ? 0 : fitness(wanted, entry.platform);
    if (score > bestScore) [best, bestScore] = [entry, score];
  }
  return best;
};

/** Every entry that the wanted platform covers: `linux` covers each Linux, `linux/arm` each variant of it. */
export const platformCovers = (wanted: WantedPlatform, platform: Platform): boolean => {
  if (fitness(wanted, platform) === 0) return false;
  return wanted.variant === undefined || normalizePlatform(wanted).variant === normalizePlatform(platform).variant;
};

/** 0: does not run there. Otherwise higher is better. */
const fitness = (wantedAsWritten: WantedPlatform, offered: Platform): number => {
  const wanted = normalizePlatform(wantedAsWritten);
  const has = normalizePlatform(offered);
  if (wanted.os !== has.os) return 0;
  if (wanted.architecture && wanted.architecture !== has.architecture) return 0;
  const features = new Set(has["os.features"] ?? []);
  if (!(wanted["os.features"] ?? []).every((feature) => features.has(feature))) return 0;
  if (!versionFits(wanted["os.version"], has["os.version"])) return 0;
  return variantFitness(wanted, has, wantedAsWritten.variant !== undefined);
};

const versionFits = (wanted: string | undefined, has: string | undefined): boolean => {
  if (!wanted || wanted === has) return true;
  // Windows images run on hosts of the same build: 10.0.17763.1 and 10.0.17763.2 are alike.
  const build = (version: string): string => version.split(".").slice(0, 3).join(".");
  return has !== undefined && wanted.split(".").length <= 3 && build(has) === wanted;
};

const level = (variant: string | undefined): number => {
  const match = /^v([0-9]+)/.exec(variant ?? "v1");
  return match ? Number(match[1]) : Number.NaN;
};

const variantFitness = (wanted: WantedPlatform, has: Platform, asked: boolean): number => {
  if (wanted.variant === has.variant) return 1000;
  const [want, offer] = [level(wanted.variant), level(has.variant)];
  if (Number.isNaN(want) || Number.isNaN(offer)) return asked ? 0 : 1;
  if (offer <= want) return 500 + offer;
  // Nobody named a variant: a higher one is better than nothing.
  return asked ? 0 : 1 + Math.max(0, 100 - offer);
};
