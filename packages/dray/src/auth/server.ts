import { isDrayError } from "../errors.ts";
import { redactUrl } from "../http/index.ts";
import { parseRegistry } from "../oci/index.ts";
import type { KeychainTarget } from "./types.ts";

/**
 * What a credential is filed under: a host, perhaps with a port, perhaps with a path below it. Files and variables write
 * it in many ways (`https://index.docker.io/v1/`, `ghcr.io`, `quay.io/team`), which all come down to these two.
 */
export interface Server {
  /** Lower case, with its port; every name of Docker Hub is `docker.io`. */
  readonly host: string;
  /** Path of a namespace or repository; `""` for the whole host. */
  readonly path: string;
}

/** The name under which docker and its helpers file Docker Hub. */
const dockerHubKey = "https://index.docker.io/v1/";

/**
 * Reads the name of a server, with or without a scheme. `/v1/` and `/v2/` at its end are the old way to write the root
 * of a registry; after a scheme they are that even with a path behind them. With a name or a password in front it is none: no registry is called so.
 */
export const parseServer = (text: string): Server | undefined => {
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#\s@]*[^/?#\s:@])(?=[/?#]|$)([^?#\s]*)/i.exec(text.trim());
  if (match === null) return undefined;
  const [, scheme, host = "", rest = ""] = match;
  const path = rest.split("/").filter((part) => part !== "");
  if (/^v[12]$/.test(path[0] ?? "") && (scheme !== undefined || path.length === 1)) path.shift();
  return { host: hostKey(host), path: path.join("/") };
};

/** What is said of text that names no server. A password in it is for nobody to read. */
export const namesNoServer = (text: string): string =>
  `"${redactUrl(text)}" ${text.includes("@") ? "has a user name in front, and so " : ""}names no server; write host[:port]`;

/** A host as keys are compared by. Text outside the grammar (a glob) stays as it is, in lower case. */
export const hostKey = (host: string): string => {
  try {
    return parseRegistry(host);
  } catch (error) {
    if (isDrayError(error, "REFERENCE_INVALID")) return host.toLowerCase();
    throw error;
  }
};

/** How docker writes a host as a key of its file and says it to a helper. */
export const dockerKey = (host: string): string => (host === "docker.io" ? dockerHubKey : host);

/** The paths that credentials for a repository may be filed under, longest first, ending with the whole host. */
export const pathsOf = (repository: string | undefined): string[] => {
  const parts = repository === undefined ? [] : repository.split("/");
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join("/")), ""];
};

/**
 * Whether what is filed under `server` is for `target`. A `*` in a label of the host stands for any text without a dot;
 * ports are equal or both absent; the path ends at a `/`, so that `team` is not `teammate`.
 */
export const covers = (server: Server, target: KeychainTarget): boolean => {
  const path = target.repository ?? "";
  if (server.path !== "" && path !== server.path && !path.startsWith(`${server.path}/`)) return false;
  const [wanted, has] = [splitPort(server.host), splitPort(hostKey(target.registry))];
  if (wanted.port !== has.port) return false;
  const [labels, hostLabels] = [wanted.name.split("."), has.name.split(".")];
  return (
    labels.length === hostLabels.length && labels.every((label, index) => labelMatches(label, hostLabels[index] ?? ""))
  );
};

const splitPort = (host: string): { name: string; port: string } => {
  const match = /^(.*?)(?::(\d+))?$/.exec(host);
  return { name: match?.[1] ?? host, port: match?.[2] ?? "" };
};

/** Takes each part where it first comes, so that no pattern, whoever wrote it, takes long. */
const labelMatches = (pattern: string, label: string): boolean => {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return pattern === label;
  const end = label.length - last.length;
  if (first.length > end || !label.startsWith(first) || !label.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = label.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
};

/**
 * Orders the more specific first: the longer path, then the host with more labels written out, then the one with more letters that are no `*`.
 * Equal ones keep their order.
 */
export const bySpecificity = (one: Server, other: Server): number =>
  depth(other.path) - depth(one.path) ||
  exactLabels(other.host) - exactLabels(one.host) ||
  letters(other.host) - letters(one.host);

const depth = (path: string): number => (path === "" ? 0 : path.split("/").length);
const exactLabels = (host: string): number => host.split(".").filter((label) => !label.includes("*")).length;
const letters = (host: string): number => host.replaceAll("*", "").length;
