import { type Located, memoryStore, type Store } from "./content/index.ts";
import { DrayError } from "./errors.ts";
import { type ParseReferenceOptions, parseReference, type Reference } from "./oci/index.ts";
import { connect, type Registry } from "./registry/index.ts";

export interface OpenOptions extends ParseReferenceOptions {
  /** Connections to registries. Default: `connect` with its defaults, one per registry for the life of the process. */
  connect?: (registry: string) => Registry;
}

/** A location taken apart: what kind of place it is, and where. */
export type ParsedLocation =
  | { readonly kind: "registry"; readonly reference: Reference }
  | { readonly kind: "oci" | "oci-archive" | "docker-archive"; readonly path: string; readonly name: string }
  | { readonly kind: "memory"; readonly name: string };

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
 * @throws DrayError `REFERENCE_INVALID`, `LOCATION_INVALID`
 * @example const alpine = await open("docker.io/library/alpine:3.20");
 */
export const open = async (text: string, options: OpenOptions = {}): Promise<Located> => {
  const location = parseLocation(text, options);
  if (location.kind === "registry") {
    const { registry, repository, tag, digest } = location.reference;
    const store = (options.connect ?? shared)(registry).repository(repository);
    return { store, name: digest ?? tag ?? "", location: text };
  }
  return { store: await storeOf(location), name: location.name, location: text };
};

/** Takes a location apart without opening it. */
export const parseLocation = (text: string, options: ParseReferenceOptions = {}): ParsedLocation => {
  const scheme = /^([a-z][a-z-]*):(.*)$/s.exec(text);
  const [kind, rest] = [scheme?.[1], scheme?.[2] ?? ""];
  if (kind === "docker" && rest.startsWith("//"))
    return { kind: "registry", reference: parseReference(rest.slice(2), options) };
  if (kind === "memory") return { kind, name: rest };
  if (kind === "oci" || kind === "oci-archive" || kind === "docker-archive") return fileLocation(kind, rest, text);
  if (kind === "dir" || kind === "docker-daemon" || kind === "containers-storage")
    throw new DrayError(
      "UNSUPPORTED",
      `location "${text}": ${kind}: is not supported; oci:, oci-archive: and docker-archive: are`,
      {
        reference: text,
      },
    );
  if (text === "-")
    throw new DrayError(
      "LOCATION_INVALID",
      'location "-": say what comes or goes there: oci-archive:- or docker-archive:-',
    );
  if (/^\.{0,2}[\\/]|^[A-Za-z]:[\\/]/.test(text))
    throw new DrayError(
      "LOCATION_INVALID",
      `location "${text}" is a path; say what lies there: oci:${text}, oci-archive:${text} or docker-archive:${text}`,
      { reference: text },
    );
  return { kind: "registry", reference: parseReference(text, options) };
};

/** `PATH[:NAME]` or `PATH[@DIGEST]`; the path ends at the first colon that is not a drive's. */
const fileLocation = (kind: "oci" | "oci-archive" | "docker-archive", rest: string, text: string): ParsedLocation => {
  const drive = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0;
  const at = /@(?:sha256|sha512):[0-9a-f]+$/.exec(rest);
  const colon = rest.indexOf(":", drive);
  const end = at !== null && (colon < 0 || at.index < colon) ? at.index : colon;
  const path = end < 0 ? rest : rest.slice(0, end);
  if (path === "")
    throw new DrayError("LOCATION_INVALID", `location "${text}": the path is missing; write ${kind}:PATH[:NAME]`, {
      reference: text,
    });
  return { kind, path, name: end < 0 ? "" : rest.slice(end + 1) };
};

/** Rooms are entered when somebody goes there: most locations are on registries, and reading the rest of the code takes time. */
const storeOf = async (location: Exclude<ParsedLocation, { kind: "registry" }>): Promise<Store> => {
  switch (location.kind) {
    case "oci":
      return (await import("./layout/index.ts")).layoutStore(location.path);
    case "oci-archive":
      return (await import("./layout/index.ts")).ociArchive(location.path);
    case "docker-archive":
      return (await import("./archive/index.ts")).dockerArchive(location.path);
    case "memory":
      return memoryStore();
  }
};

const registries = new Map<string, Registry>();

const shared = (name: string): Registry => {
  let registry = registries.get(name);
  if (registry === undefined) {
    registry = connect(name);
    registries.set(name, registry);
  }
  return registry;
};
