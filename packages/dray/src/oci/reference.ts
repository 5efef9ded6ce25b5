import { defined } from "../defined.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Digest, isDigest, parseDigest } from "./digest.ts";

/**
 * Where an image lives: `registry/repository:tag@digest`. With both a tag and a digest the digest decides what is read
 * and the tag says what it was called.
 */
export interface Reference {
  /** Host and optional port; every name of Docker Hub is `docker.io`. */
  readonly registry: string;
  /** Path on the registry, `library/` included where Docker Hub implies it. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** How a short reference is completed. */
export interface ParseReferenceOptions {
  /** Registry of a name that does not start with one. Default `docker.io`. */
  defaultRegistry?: string;
  /** Tag of a name with neither tag nor digest. Default `latest`; `""` leaves it out. */
  defaultTag?: string;
  /** Refuses a name that leaves out its registry, its tag or digest, or `library/` on Docker Hub. */
  strict?: boolean;
}

/** The part of a reference that is wrong. */
export type ReferencePart = "reference" | "registry" | "repository" | "tag" | "digest";

/**
 * What is wrong with a reference, as programs tell it: there is nothing; small letters alone would make it right; its name is too long; it has
 * another form than `registry/repository:tag@digest`; its tag or its digest is none, or stands where none belongs; `strict` parsing misses what it
 * leaves out.
 */
export type ReferenceFault = "empty" | "uppercase" | "too-long" | "format" | "tag" | "digest" | "not-canonical";

/** A `REFERENCE_INVALID` error that also names the wrong part, and what is wrong with it. */
export class InvalidReferenceError extends DrayError {
  readonly part: ReferencePart;
  readonly fault: ReferenceFault;
  constructor(
    text: string,
    part: ReferencePart,
    why: string,
    fault: ReferenceFault = part === "tag" || part === "digest" ? part : "format",
  ) {
    super("REFERENCE_INVALID", `reference "${text}": ${why}`, { reference: text });
    this.part = part;
    this.fault = fault;
  }
}

const invalid = (text: string, part: ReferencePart, why: string, fault?: ReferenceFault): InvalidReferenceError =>
  new InvalidReferenceError(text, part, why, fault);

const dockerHub = "docker.io";
const dockerHubNames = new Set([dockerHub, "index.docker.io", "registry-1.docker.io"]);
const part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const component = new RegExp(`^${part}$`);
const components = new RegExp(`^${part}(?:/${part})*$`);
const tagGrammar = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const host = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:.]+\\])(?::([0-9]{1,5}))?$`);
/** Characters of `registry/repository` at most that clients can be relied on to accept. */
export const longestName = 255;
/** More than name, tag and digest can have together; what is longer is not quoted whole in a message. */
const longestText = 1024;

/**
 * Reads a reference by the grammar of the distribution specification.
 * @throws InvalidReferenceError naming the part that is wrong and why.
 * @example parseReference("alpine") // docker.io/library/alpine:latest
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 */
export const parseReference = (text: string, options: ParseReferenceOptions = {}): Reference => {
  const { defaultRegistry = dockerHub, defaultTag = "latest", strict = false } = options;
  if (text === "") throw invalid(text, "reference", "is empty; expected [registry/]repository[:tag][@digest]", "empty");
  if (text.length > longestText)
    throw invalid(`${text.slice(0, 64)}…`, "reference", `has ${text.length} characters; none is that long`, "too-long");
  refuseUser(text, "digest", /^[^/@]*@(?=[^/@]*\/)/);
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text);
  if (scheme) throw invalid(text, "reference", `starts with "${scheme[0]}"; leave the scheme out`);

  const [tagged] = /:(?:sha256|sha512):[0-9a-f]*$/.exec(text) ?? [];
  if (tagged !== undefined && !text.includes("@"))
    throw invalid(text, "digest", `a digest comes after @; write ${text.slice(0, -tagged.length)}@${tagged.slice(1)}`);

  const at = text.indexOf("@");
  const digestText = at < 0 ? undefined : text.slice(at + 1);
  const beforeDigest = at < 0 ? text : text.slice(0, at);
  const colon = beforeDigest.lastIndexOf(":");
  const hasTag = colon > beforeDigest.lastIndexOf("/") && colon >= 0;
  const tag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  const name = hasTag ? beforeDigest.slice(0, colon) : beforeDigest;

  const { registry, repository } = splitName(text, name, defaultRegistry, strict);
  if (tag !== undefined && !tagGrammar.test(tag)) throw invalid(text, "tag", tagFault(tag));
  const digest = digestText === undefined ? undefined : readDigest(text, digestText);
  const anyTag = tag ?? (digest === undefined && defaultTag !== "" ? defaultTag : undefined);
  if (strict && tag === undefined && digest === undefined)
    throw invalid(text, "tag", "has neither tag nor digest, and strict parsing does not assume one", "not-canonical");
  return defined({ registry, repository, tag: anyTag, digest });
};

/** Reads `registry/repository` without a tag or digest, as `ls` and `copy --all-tags` take it. */
export const parseRepository = (
  text: string,
  options: Omit<ParseReferenceOptions, "defaultTag"> = {},
): { registry: string; repository: string } => {
  const reference = parseReference(text, { ...options, strict: false, defaultTag: "" });
  if (reference.tag !== undefined || reference.digest !== undefined) {
    const name = text.replace(/@.*$/s, "").replace(/:[^:/]*$/, "");
    const why = `expected a repository without tag or digest; write ${name}`;
    throw invalid(text, reference.digest ? "digest" : "tag", why);
  }
  return { registry: reference.registry, repository: reference.repository };
};

/** Reads a registry: `host[:port]`. Every name of Docker Hub becomes `docker.io`. */
export const parseRegistry = (text: string): string => {
  refuseUser(text, "registry", /^.*@/);
  return checkedRegistry(text, text);
};

/**
 * A name with a password in front, as a URL may have it, is no part of a reference, and never of a message.
 * @param part what is wrong with it
 * @param bare how they look without a scheme
 */
const refuseUser = (text: string, part: ReferencePart, bare: RegExp): void => {
  const [user] = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/.*@(?![a-z0-9+._-]+:[0-9a-fA-F]+$)/.exec(text) ?? bare.exec(text) ?? [];
  if (user === undefined) return;
  const [scheme = ""] = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.exec(text) ?? [];
  const rest = text.slice(user.length);
  throw invalid(
    `${scheme}…@${rest}`,
    part,
    `a user name and a password are no part of it; write ${rest}, and give them as credentials`,
  );
};

const registryFault = (text: string): string | undefined => {
  const match = host.exec(text);
  const [scheme] = /^[a-z]+:\/\//i.exec(text) ?? [];
  if (scheme !== undefined) return `starts with "${scheme}"; leave the scheme out`;
  if (!match) return `registry "${text}" is no host[:port]`;
  if (match[1] !== undefined && (Number(match[1]) > 65535 || Number(match[1]) === 0))
    return `port ${match[1]} is outside 1 to 65535`;
  return undefined;
};

const registryName = (text: string): string => {
  const lower = text.toLowerCase();
  if (dockerHubNames.has(lower)) return dockerHub;
  // Upper case is all that makes a bare word a host; in lower case it would be read as part of the repository.
  return isHost(lower) ? lower : text;
};

/** Whether text may be a tag: up to 128 characters, the first no dot and no dash. */
export const isTag = (text: string): boolean => tagGrammar.test(text);

/** Whether text is the identifier of an image as docker prints it: the 64 hex digits of a digest, without its algorithm. */
export const isIdentifier = (text: string): boolean => /^[a-f0-9]{64}$/.test(text);

/** Whether text may be the beginning of an identifier: 6 to 64 hex digits. A repository may be called the same. */
export const isShortIdentifier = (text: string): boolean => /^[a-f0-9]{6,64}$/.test(text);

/** Whether text may be the path of a repository. */
export const isRepository = (text: string): boolean => text.length <= longestName && components.test(text);

/** The reference in full: registry, repository, tag and digest. @example formatReference(parseReference("alpine")) // "docker.io/library/alpine:latest" */
export const formatReference = (ref: Reference): string =>
  `${ref.registry}/${ref.repository}${ref.tag === undefined ? "" : `:${ref.tag}`}${ref.digest === undefined ? "" : `@${ref.digest}`}`;

/** The form that names exactly one thing: with a digest the tag is left out. */
export const canonical = (ref: Reference): string =>
  ref.digest === undefined ? formatReference(ref) : `${ref.registry}/${ref.repository}@${ref.digest}`;

/** The form people type: without `docker.io/`, `library/` and `:latest`. */
export const familiar = (ref: Reference): string => {
  const hub = ref.registry === dockerHub;
  const path =
    hub && /^library\/[^/]+$/.test(ref.repository) ? ref.repository.slice("library/".length) : ref.repository;
  const tag = ref.tag === undefined || (ref.tag === "latest" && ref.digest === undefined) ? "" : `:${ref.tag}`;
  // Without its registry, a first component that looks like a host would be read as one.
  const prefix = hub && !looksLikeRegistry(path) ? "" : `${ref.registry}/`;
  return `${prefix}${path}${tag}${ref.digest === undefined ? "" : `@${ref.digest}`}`;
};

const looksLikeRegistry = (path: string): boolean => {
  const slash = path.indexOf("/");
  if (slash < 0) return false;
  return isHost(path.slice(0, slash));
};

const isHost = (word: string): boolean => word === "localhost" || /[.:]/.test(word) || word !== word.toLowerCase();

const splitName = (
  text: string,
  name: string,
  defaultRegistry: string,
  strict: boolean,
): { registry: string; repository: string } => {
  const named = looksLikeRegistry(name);
  if (strict && !named)
    throw invalid(text, "registry", "names no registry, and strict parsing assumes none", "not-canonical");
  const slash = name.indexOf("/");
  const registryText = named ? name.slice(0, slash) : defaultRegistry;
  const path = named ? name.slice(slash + 1) : name;
  const registry = checkedRegistry(text, registryText);
  checkRepository(text, path);
  const official = registry === dockerHub && !path.includes("/");
  if (strict && official) throw invalid(text, "repository", `on Docker Hub write "library/${path}"`, "not-canonical");
  const repository = official ? `library/${path}` : path;
  if (registry.length + 1 + repository.length > longestName)
    throw invalid(text, "repository", `registry and repository are longer than ${longestName} characters`, "too-long");
  return { registry, repository };
};

const checkedRegistry = (text: string, registry: string): string => {
  const fault = registryFault(registry);
  if (fault !== undefined) throw invalid(text, "registry", fault);
  return registryName(registry);
};

const checkRepository = (text: string, path: string): void => {
  if (path === "") throw invalid(text, "repository", "the repository is empty");
  if (/[A-Z]/.test(path)) {
    const fault = components.test(path.toLowerCase()) ? "uppercase" : "format";
    throw invalid(text, "repository", `repository "${path}" must be lower case`, fault);
  }
  const bad = path.split("/").find((part) => !component.test(part));
  if (bad === undefined) return;
  throw invalid(
    text,
    "repository",
    bad === ""
      ? `repository "${path}" has an empty component`
      : `component "${bad}" must be letters and digits, joined by one of . _ __ or dashes`,
  );
};

const readDigest = (text: string, digest: string): Digest => {
  if (isDigest(digest)) return digest;
  try {
    return parseDigest(digest);
  } catch (error) {
    throw invalid(text, "digest", isDrayError(error) ? error.message : "the digest is wrong");
  }
};

const tagFault = (tag: string): string => {
  if (tag === "") return "the tag after the colon is empty";
  if (tag.length > 128) return `the tag has ${tag.length} characters; 128 are allowed`;
  return `tag "${tag}" must be letters, digits, _ . and -, and not begin with . or -`;
};
