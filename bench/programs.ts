/** The programs that are compared: where they lie, and how each is told to do the same thing. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPeer } from "@dray/testkit/peers";

export type ProgramName =
  | "dray"
  | "dray before"
  | "dray on node"
  | "library"
  | "library before"
  | "bare script"
  | "crane"
  | "skopeo"
  | "regctl"
  | "oras";

/** Those that have a command line of their own; the others are told what to do where they are measured. */
export type Command = Exclude<ProgramName, "library" | "library before" | "bare script">;

const root: string = fileURLToPath(new URL("..", import.meta.url));

/** Command and first arguments of a program, or `undefined`, which is said once on stderr. */
export const programOf = (name: Command): readonly string[] | undefined => {
  if (name === "dray on node") return [join(root, "node_modules/.bin/node"), join(root, "packages/cli/src/main.ts")];
  const path = name === "dray" ? built() : name === "dray before" ? before : findPeer(name);
  return path === undefined ? undefined : [path];
};

/** `--before=FILE`: another build of Dray, measured beside this one in the same run. */
export const before: string | undefined = process.argv
  .find((word) => word.startsWith("--before="))
  ?.slice("--before=".length);

const built = (): string | undefined => {
  const path = join(root, "dist/dray");
  if (existsSync(path)) return path;
  process.stderr.write("missing: dist/dray, which is what is measured; make it with: npm run build\n");
  return undefined;
};

/** Where images are, and how to trust that place. */
export interface Place {
  readonly host: string;
  /** PEM file of the authority, with TLS. */
  readonly ca?: string | undefined;
}

const skopeoTls = (place: Place, side: "src" | "dest"): string[] =>
  place.ca === undefined ? [`--${side}-tls-verify=false`] : [];
const orasTls = (place: Place, side: "from" | "to"): string[] =>
  place.ca === undefined ? [`--${side}-plain-http`] : [];
/** Go's programs trust this file; the system's own authorities are not needed here. */
export const trust = (place: Place): Record<string, string> =>
  place.ca === undefined ? {} : { SSL_CERT_FILE: place.ca };
const drayTls = (place: Place): string[] => (place.ca === undefined ? ["--plain-http"] : ["--ca-file", place.ca]);
const craneTls = (place: Place): string[] => (place.ca === undefined ? ["--insecure"] : []);

export const copyArguments = (name: Command, from: Place, to: Place, image: string): string[] => {
  const [source, target] = [`${from.host}/${image}`, `${to.host}/${image}`];
  switch (name) {
    case "dray":
    case "dray before":
    case "dray on node":
      return ["cp", "-q", ...drayTls(from), source, target];
    case "crane":
      return ["copy", ...craneTls(from), source, target];
    case "skopeo":
      return [
        "copy",
        "-q",
        "--all",
        ...skopeoTls(from, "src"),
        ...skopeoTls(to, "dest"),
        `docker://${source}`,
        `docker://${target}`,
      ];
    case "regctl":
      return ["image", "copy", source, target];
    case "oras":
      return ["cp", "--no-tty", ...orasTls(from, "from"), ...orasTls(to, "to"), source, target];
  }
};

export const pullLayoutArguments = (name: Command, from: Place, image: string, dir: string): string[] => {
  const source = `${from.host}/${image}`;
  switch (name) {
    case "dray":
    case "dray before":
    case "dray on node":
      return ["pull", "-q", "--format", "oci", ...drayTls(from), source, dir];
    case "crane":
      return ["pull", "--format", "oci", ...craneTls(from), source, dir];
    case "skopeo":
      return ["copy", "-q", ...skopeoTls(from, "src"), `docker://${source}`, `oci:${dir}:latest`];
    case "regctl":
      return ["image", "copy", source, `ocidir://${dir}:latest`];
    case "oras":
      return ["cp", "--no-tty", ...orasTls(from, "from"), source, "--to-oci-layout", `${dir}:latest`];
  }
};

export const digestArguments = (name: Command, from: Place, image: string): string[] => {
  const source = `${from.host}/${image}`;
  switch (name) {
    case "dray":
    case "dray before":
    case "dray on node":
      return ["digest", ...drayTls(from), source];
    case "crane":
      return ["digest", ...craneTls(from), source];
    case "skopeo":
      return [
        "inspect",
        "--format",
        "{{.Digest}}",
        ...(from.ca === undefined ? ["--tls-verify=false"] : []),
        `docker://${source}`,
      ];
    case "regctl":
      return ["image", "digest", source];
    case "oras":
      return ["resolve", ...(from.ca === undefined ? ["--plain-http"] : []), source];
  }
};

/** regctl keeps what it knows of hosts in a file. */
export const regctlConfig = (places: readonly Place[]): string =>
  JSON.stringify({
    hosts: Object.fromEntries(
      places.map(({ host, ca }) => [
        host,
        {
          hostname: host,
          tls: ca === undefined ? "disabled" : "enabled",
          ...(ca === undefined ? {} : { regcert: readFileSync(ca, "utf8") }),
        },
      ]),
    ),
  });
