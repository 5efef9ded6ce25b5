import { join } from "node:path";
import { DrayError } from "../errors.ts";
import type { TlsSettings } from "../http/index.ts";

/** Where an engine may be, and who says so. */
export interface EngineAddress {
  /** As docker writes it: `unix:///var/run/docker.sock`, `tcp://10.0.0.1:2376`, `ssh://me@build.example`. */
  readonly host: string;
  /** Who named it, for people: `DOCKER_HOST`, a context, the usual place. */
  readonly from: string;
  /** Whom to trust there, and who we are; without it a `tcp:` address is spoken to without TLS. */
  readonly tls?: TlsSettings | undefined;
}

/** An address taken apart. */
export type EngineHost =
  | { readonly kind: "socket"; readonly path: string }
  /** `https://10.0.0.1:2376`; `path` before each of its questions, behind a proxy: `/engine`, or nothing. */
  | { readonly kind: "http"; readonly origin: string; readonly path: string }
  | { readonly kind: "ssh"; readonly destination: SshDestination };

/** What the `ssh` program is told. */
export interface SshDestination {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: string | undefined;
  /** Socket of the engine over there, where it is not the usual one. */
  readonly socket: string | undefined;
}

/**
 * Takes an address apart, as docker reads it: what has no scheme is `tcp:`, and what is left out is docker's own socket, this machine, and its ports.
 * @throws DrayError `CONFIG_INVALID` naming who said it, `UNSUPPORTED` for pipes of Windows and inherited descriptors
 */
export const parseEngineHost = ({ host: text, from, tls }: EngineAddress): EngineHost => {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/s.exec(text.trim()) ?? ["", "tcp", text.trim()];
  if (scheme === "npipe" || scheme === "fd")
    throw new DrayError(
      "UNSUPPORTED",
      `${from}: an engine is not reached by ${scheme}:// here; name its unix://, tcp:// or ssh:// address`,
    );
  if (scheme === "unix") return { kind: "socket", path: rest === "" ? dockerSocket : rest };
  if (scheme === "ssh") return { kind: "ssh", destination: sshDestination(text, from) };
  // A path without a host is one of a socket, whose scheme somebody forgot.
  if (scheme === "tcp" || ((scheme === "http" || scheme === "https") && rest !== "")) {
    const secure = scheme === "https" || tls !== undefined;
    const [, host = "", path = ""] = /^([^/]*)(.*)$/s.exec(rest) ?? [];
    const there = /^(?::\d+)?$/.test(host) ? `localhost${host}` : host;
    const url = host === "" && path !== "" ? undefined : parsedUrl(`${secure ? "https" : "http"}://${there}${path}`);
    if (url !== undefined && url.search === "" && url.hash === "" && url.username === "") {
      // A URL leaves out the port that its scheme has anyway; docker's own are others.
      const named = /:(\d+)$/.exec(there)?.[1];
      const port = named ?? (scheme === "tcp" ? (secure ? "2376" : "2375") : undefined);
      const origin = `${url.protocol}//${url.hostname}${port === undefined ? "" : `:${port}`}`;
      return { kind: "http", origin: new URL(origin).origin, path: url.pathname.replace(/\/+$/, "") };
    }
  }
  throw new DrayError(
    "CONFIG_INVALID",
    `${from} is "${shown(text)}"; expected unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST`,
  );
};

const sshDestination = (text: string, from: string): SshDestination => {
  const url = parsedUrl(text.trim());
  const user = decoded(url?.username);
  const socket = decoded(url?.pathname.replace(/^\/+$/, ""));
  // What begins with a dash would be an option of ssh.
  const isOption = [url?.hostname, user].some((word) => word?.startsWith("-"));
  if (
    url === undefined ||
    url.hostname === "" ||
    // A host has no escapes: what they hide would be an option.
    url.hostname.includes("%") ||
    user === undefined ||
    socket === undefined ||
    isOption ||
    url.search !== "" ||
    text.includes("#")
  )
    throw new DrayError("CONFIG_INVALID", `${from} is "${shown(text)}"; expected ssh://[USER@]HOST[:PORT][/SOCKET]`);
  if (url.password !== "")
    throw new DrayError("CONFIG_INVALID", `${from}: ssh takes no password from an address; leave it out and use a key`);
  return {
    user: user === "" ? undefined : user,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? undefined : url.port,
    socket: socket === "" ? undefined : socket,
  };
};

/** A part of a URL as it is meant; nothing for what is none, or has control characters in it. */
const decoded = (part: string | undefined): string | undefined => {
  try {
    const text = decodeURIComponent(part ?? "");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    return /[\x00-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
};

const parsedUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

/** Without what may be a password. */
const shown = (text: string): string => text.replace(/\/\/[^/@]*@/, "//…@");

const dockerSocket = "/var/run/docker.sock";

/** Where engines listen that nobody named, the likeliest first: docker as root, docker and podman of this user, podman as root. */
export const usualAddresses = (env: Readonly<Record<string, string | undefined>>, home: string): EngineAddress[] => {
  const runtime = env["XDG_RUNTIME_DIR"];
  const own = (path: string): string[] => (runtime ? [join(runtime, path)] : []);
  const paths = [
    dockerSocket,
    ...own("docker.sock"),
    join(home, ".docker/run/docker.sock"),
    ...own("podman/podman.sock"),
    "/run/podman/podman.sock",
  ];
  return paths.map((path) => ({ host: `unix://${path}`, from: "the usual place" }));
};
