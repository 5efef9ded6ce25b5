import { DrayError } from "../../errors.ts";
import { type HeaderPairs, redactUrl } from "../../http/index.ts";
import { parseRegistry } from "../../oci/index.ts";

/** A place that content may be read from in the stead of its registry. It is a registry of its own, with credentials and certificates of its own. */
export interface Mirror {
  /**
   * `host[:port][/path]`, which takes the place of the rule's prefix: with the prefix `quay.io/team` and the location `m.example/quay`,
   * `quay.io/team/app` is read as `m.example/quay/app`. The scheme of a URL is the only one that is spoken. Empty: as the image is called.
   */
  readonly location: string;
  /** For which images, by how they are named: a tag may stand for something older here. Default `"all"`. */
  readonly pulls?: "all" | "digest-only" | "tag-only" | undefined;
  /** For which questions: content by its digest (`pull`), what a tag stands for (`resolve`). Default: both. */
  readonly capabilities?: readonly ("pull" | "resolve")[] | undefined;
  /** Where its API lies, in the place of `/v2`: `/proxy/v2`. */
  readonly apiPath?: string | undefined;
  /** Tells it with each request which registry is meant (`?ns=docker.io`). */
  readonly namesOrigin?: boolean | undefined;
  /** Plain http, and certificates that nobody vouches for. */
  readonly insecure?: boolean | undefined;
  /** Certificates that nobody vouches for. */
  readonly skipTlsVerify?: boolean | undefined;
  /** Sent to it with every request, and to no other host. */
  readonly headers?: HeaderPairs | undefined;
  /** PEM of authorities that are trusted besides the usual ones. */
  readonly ca?: readonly string[] | undefined;
  /** PEM of our certificate for it, and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What holds for the images whose names begin so. The rule with the longest prefix counts. */
export interface MirrorRule {
  /** `host[:port][/path]`, or `*.host` for every name below a domain. Ends where a name does: `quay.io/team` is not `quay.io/teams`. */
  readonly prefix: string;
  /** Asked one after the other, before the registry. */
  readonly mirrors?: readonly Mirror[] | undefined;
  /** Read from last, in the stead of the registry, which is not asked then. */
  readonly primary?: Mirror | undefined;
  /** The registry itself is spoken to by plain http or with a certificate that nobody vouches for. */
  readonly insecure?: boolean | undefined;
  /** The registry is asked nothing about these images, neither for reading nor for writing; their mirrors are. */
  readonly blocked?: boolean | undefined;
  /** Who says so, for messages: the name of a file. */
  readonly from?: string | undefined;
}

/** A location taken apart. */
export interface MirrorLocation {
  /** As `connect` takes it: with its scheme, where it has one. */
  readonly host: string;
  /** The path below it, without slashes at its ends. */
  readonly path: string;
}

/** @throws DrayError `CONFIG_INVALID` */
export const parseMirrorLocation = (text: string, where: string): MirrorLocation => {
  const [, scheme = "", host = "", path = ""] = /^(https?:\/\/)?([^/?#]+)(?:\/([^?#]*))?$/i.exec(text) ?? [];
  try {
    parseRegistry(host);
  } catch (cause) {
    // A password in front is for nobody else to read.
    const why = text.includes("@") ? "has a user name in front, which is no part of it" : "is no location";
    throw new DrayError("CONFIG_INVALID", `${where}: "${redactUrl(text)}" ${why}; write HOST[:PORT][/PATH]`, { cause });
  }
  return { host: scheme + host, path: path.replace(/^\/+|\/+$/g, "") };
};

/** How much of a name a prefix covers; -1: none. */
export const coveredBy = (prefix: string, name: string): number => {
  const ends = (at: number): boolean => at === name.length || name[at] === "/" || name[at] === ":" || name[at] === "@";
  if (!prefix.startsWith("*.")) return name.startsWith(prefix) && ends(prefix.length) ? prefix.length : -1;
  const at = name.indexOf(prefix.slice(1));
  const end = at + prefix.length - 1;
  return at > 0 && !name.slice(0, at).includes("/") && ends(end) ? end : -1;
};

/** The rule for `registry/repository`: the one with the longest prefix, as podman chooses. */
export const ruleFor = (rules: readonly MirrorRule[], name: string): MirrorRule | undefined => {
  let found: MirrorRule | undefined;
  for (const rule of rules)
    if (coveredBy(rule.prefix, name) !== -1 && rule.prefix.length > (found?.prefix.length ?? 0)) found = rule;
  return found;
};

/** Whether everything on a registry may be asked for by plain http, as the rules say. */
export const isInsecure = (rules: readonly MirrorRule[], registry: string): boolean =>
  ruleFor(rules, registry)?.insecure === true;

/** Whether a mirror is spoken to in another way than a registry of its name. */
export const hasSettings = ({ apiPath, insecure, skipTlsVerify, headers, ca, cert }: Mirror): boolean =>
  insecure === true || skipTlsVerify === true || [apiPath, headers, ca, cert].some((each) => each !== undefined);

/** A repository as a mirror has it. */
export interface MirroredRepository {
  readonly mirror: Mirror;
  readonly host: string;
  readonly repository: string;
}

/** Where a mirror has what is called `registry/repository`. `undefined`: that would be the registry itself, or no name. */
export const placeIn = (
  mirror: Mirror,
  { prefix, from = "the rule" }: MirrorRule,
  name: string,
): MirroredRepository | undefined => {
  const covered = coveredBy(prefix, name);
  const rest = name.slice(covered);
  const location = mirror.location === "" ? name : mirror.location.replace(/\/+$/, "") + rest;
  const { host, path } = parseMirrorLocation(location, `${from}, prefix "${prefix}"`);
  const isItself = !hasSettings(mirror) && `${host}/${path}` === name;
  return path === "" || isItself ? undefined : { mirror, host, repository: path };
};
