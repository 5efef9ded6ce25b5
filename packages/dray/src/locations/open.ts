import type { Located } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import type { ParseReferenceOptions } from "../oci/index.ts";
import type { Registry } from "../registry/index.ts";
import { type LocationKind, locationKinds, type ParsedLocation, registryKind } from "./table.ts";

/** How names are completed, and how registries are connected to. */
export interface OpenOptions extends ParseReferenceOptions {
  /** Connections to registries. Default: `connect` with its defaults, one per registry for the life of the process. */
  connect?: (registry: string) => Registry;
}

/**
 * Opens a location, whatever it is:
 *
 * | location | what it is |
 * |---|---|
 * | `alpine:3.20`, `docker://quay.io/team/app@sha256:…` | a repository on a registry |
 * | `oci:DIR[:NAME]` | an OCI layout |
 * | `oci-archive:FILE[:NAME]` | an OCI layout in a tar |
 * | `docker-archive:FILE[:REFERENCE]` | what `docker save` writes |
 * | `memory:[NAME]` | a new store in memory |
 *
 * Nothing is read or written yet.
 * @throws DrayError `REFERENCE_INVALID`, `LOCATION_INVALID`, `UNSUPPORTED`
 * @example const alpine = await open("docker.io/library/alpine:3.20");
 */
export const open = async (text: string, options: OpenOptions = {}): Promise<Located> => {
  const kind = kindOf(text);
  return { ...(await kind.open(parsedAs(kind, text, options), options.connect)), location: text };
};

/**
 * Takes a location apart without opening it.
 * @throws DrayError `REFERENCE_INVALID`, `LOCATION_INVALID`, `UNSUPPORTED`
 * @example parseLocation("oci:./mirror:alpine") // { kind: "oci", path: "./mirror", name: "alpine" }
 */
export const parseLocation = (text: string, options: ParseReferenceOptions = {}): ParsedLocation =>
  parsedAs(kindOf(text), text, options);

/** Whether a location is an archive that comes from standard input or goes to standard output. */
export const isStandardStream = (text: string): boolean => {
  const { path, prefix } = kindOf(text);
  return path === "file" && /^-(?::|$)/.test(text.slice(prefix.length));
};

const parsedAs = (kind: LocationKind, text: string, options: ParseReferenceOptions): ParsedLocation =>
  kind.parse(text.startsWith(kind.prefix) ? text.slice(kind.prefix.length) : text, text, options);

/** The kind whose prefix it has; else it is a reference, unless it looks like something that somebody may take for a location. */
const kindOf = (text: string): LocationKind => {
  const kind = locationKinds.find(({ prefix }) => text.startsWith(prefix));
  if (kind !== undefined) return kind;
  const [foreign] = /^(?:dir|docker-daemon|containers-storage)(?=:)/.exec(text) ?? [];
  if (foreign !== undefined)
    throw new DrayError(
      "UNSUPPORTED",
      `location "${text}": ${foreign}: is not supported; ${oneOf(atPaths, "and")} are`,
      { reference: text },
    );
  if (text === "-")
    throw new DrayError(
      "LOCATION_INVALID",
      `location "-": say what comes or goes there: ${oneOf(
        atPaths.filter(({ path }) => path === "file"),
        "or",
        "-",
      )}`,
    );
  if (/^\.{0,2}[\\/]|^[A-Za-z]:[\\/]/.test(text))
    throw new DrayError(
      "LOCATION_INVALID",
      `location "${text}" is a path; say what lies there: ${oneOf(atPaths, "or", text)}`,
      { reference: text },
    );
  return registryKind;
};

const atPaths = locationKinds.filter(({ path }) => path !== undefined);

/** `oci:a, oci-archive:a or docker-archive:a`. */
const oneOf = (kinds: readonly LocationKind[], last: "and" | "or", path = ""): string => {
  const words = kinds.map(({ prefix }) => `${prefix}${path}`);
  return [words.slice(0, -1).join(", "), words.at(-1)].join(` ${last} `);
};
