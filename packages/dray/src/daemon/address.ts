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
  /** `https://10.0.0.1:2376` */
  | { readonly kind: "http"; readonly origin: string }
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
 * Takes an address apart.
 * @throws DrayError `CONFIG_INVALID` naming who said it, `UNSUPPORTED` for pipes of Windows and inherited descriptors
 */
export const parseEngineHost = ({ host: text, from, tls }: EngineAddress): EngineHost => {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === "npipe" || scheme === "fd")
    throw new DrayError(
      "UNSUPPORTED",
      `${from}: an engine is not reached by ${scheme}:// here; name its unix://, tcp:// or ssh:// address`,
    );
  if (scheme === "unix" && rest !== "") return { kind: "socket", path: rest };
  if (scheme === "ssh") return { kind: "ssh", destination: sshDestination(text, from) };
  if (scheme === "tcp" || scheme === "http" || scheme === "https") {
    const secure = scheme === "https" || tls !== undefined;
    const url = parsedUrl(`${secure ? "https" : "http"}://${rest.replace(/\/$/, "")}`);
    if (url !== undefined && url.pathname === "/" && url.search === "" && url.username === "") {
      // A URL leaves out the port that its scheme has anyway; docker's own are others.
      const named = /:(\d+)$/.exec(rest.replace(/\/$/, ""))?.[1];
      const port = named ?? (scheme === "tcp" ? (secure ? "2376" : "2375") : undefined);
      const origin = `${url.protocol}//${url.hostname}${port === undefined ? "" : `:${port}`}`;
      return { kind: "http", origin: new URL(origin).origin };
    }
  }
  throw new DrayError(
    "CONFIG_INVALID",
    `${from} is "${shown(text)}"; expected unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST`,
  );
};

const sshDestination = (text: string, from: string): SshDestination => {
  const url = parsedUrl(text);
  const user = decoded(url?.username);
  const socket = decoded(url?.pathname.replace(/^\/+$/, ""));
  // What begins with a dash would be an option of ssh.
  const isOption = [url?.hostname, user].some((word) => word?.startsWith("-"));
  if (
    url === undefined ||
    url.hostname === "" ||
    user === undefined ||
    socket === undefined ||
    isOption ||
    url.search !== ""
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

/** Where engines listen that nobody named, the likeliest first: docker as root, docker and podman of this user, podman as root. */
export const usualAddresses = (env: Readonly<Record<string, string | undefined>>, home: string): EngineAddress[] => {
  const runtime = env["XDG_RUNTIME_DIR"];
  const own = (path: string): string[] => (runtime ? [join(runtime, path)] : []);
  const paths = [
    "/var/run/docker.sock",
    ...own("docker.sock"),
    join(home, ".docker/run/docker.sock"),
    ...own("podman/podman.sock"),
    "/run/podman/podman.sock",
  ];
  return paths.map((path) => ({ host: `unix://${path}`, from: "the usual place" }));
};
