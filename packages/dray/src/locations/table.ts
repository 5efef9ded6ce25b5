import { type Located, memoryStore, type Store } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type ParseReferenceOptions, parseReference, type Reference } from "../oci/index.ts";
import { connect, type Registry } from "../registry/index.ts";

/** A repository on a registry, and a name in it. */
export interface RegistryLocation {
  readonly kind: "registry";
  readonly reference: Reference;
}

/** A directory or file, and a name in it: `""` where the location names only the path. */
export interface PathLocation {
  readonly kind: "oci" | "oci-archive" | "docker-archive";
  readonly path: string;
  readonly name: string;
}

/** A new store in memory, and the name that something gets there. */
export interface MemoryLocation {
  readonly kind: "memory";
  readonly name: string;
}

/** A location taken apart: what kind of place it is, and where. */
export type ParsedLocation = RegistryLocation | PathLocation | MemoryLocation;

/** A kind of place. A new one is a row below, and its parts in the union above. */
export interface LocationKind {
  /** What such a location begins with. */
  readonly prefix: string;
  /** Where it is a path: to what. */
  readonly path?: "directory" | "file";
  /** @param rest what follows the prefix; `text` is all of it, for messages */
  parse(rest: string, text: string, options: ParseReferenceOptions): ParsedLocation;
  /** Opens what `parse` gave. Nothing is read or written yet. */
  open(location: ParsedLocation, connect: (registry: string) => Registry): Promise<Omit<Located, "location">>;
}

/** A reference is a location without a prefix, too. */
export const registryKind: LocationKind = {
  prefix: "docker://",
  parse: (rest, _text, options) => ({ kind: "registry", reference: parseReference(rest, options) }),
  async open(
    { reference: { registry, repository, tag, digest } }: RegistryLocation,
    connection: (registry: string) => Registry,
  ) {
    return { store: connection(registry).repository(repository), name: digest ?? tag ?? "" };
  },
};

const atPath = (
  kind: PathLocation["kind"],
  path: "directory" | "file",
  store: (path: string) => Promise<Store>,
): LocationKind => ({
  prefix: `${kind}:`,
  path,
  parse: (rest, text) => ({ kind, ...splitPath(kind, rest, text) }),
  async open(location: PathLocation) {
    return { store: await store(location.path), name: location.name };
  },
});

/** Rooms are entered when somebody goes there: most locations are on registries, and reading the rest of the code takes time. */
export const locationKinds: readonly LocationKind[] = [
  registryKind,
  atPath("oci", "directory", async (path) => (await import("../layout/index.ts")).layoutStore(path)),
  atPath("oci-archive", "file", async (path) => (await import("../layout/index.ts")).ociArchive(path)),
  atPath("docker-archive", "file", async (path) => (await import("../archive/index.ts")).dockerArchive(path)),
  {
    prefix: "memory:",
    parse: (name) => ({ kind: "memory", name }),
    async open({ name }: MemoryLocation) {
      return { store: memoryStore(), name };
    },
  },
];

/** `PATH[:NAME]` or `PATH[@DIGEST]`; the path ends at the first colon that is not a drive's. */
const splitPath = (kind: string, rest: string, text: string): Pick<PathLocation, "path" | "name"> => {
  const drive = /^(?:[\\/]{2}[?.][\\/])?[A-Za-z]:[\\/]/.exec(rest)?.[0].length ?? 0;
  const at = /@(?:sha256|sha512):[0-9a-f]+$/.exec(rest);
  const colon = rest.indexOf(":", drive);
  const end = at !== null && (colon < 0 || at.index < colon) ? at.index : colon;
  const path = end < 0 ? rest : rest.slice(0, end);
  if (path === "")
    throw new DrayError("LOCATION_INVALID", `location "${text}": the path is missing; write ${kind}:PATH[:NAME]`, {
      reference: text,
    });
  return { path, name: end < 0 ? "" : rest.slice(end + 1) };
};

const registries = new Map<string, Registry>();

/** The connection to a registry that all have who say nothing about it, for the life of the process. */
export const shared = (name: string): Registry => {
  let registry = registries.get(name);
  if (registry === undefined) registries.set(name, (registry = connect(name)));
  return registry;
};
